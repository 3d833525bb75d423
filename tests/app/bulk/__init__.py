"""Lists of people, tokens, and the administration's API."""
