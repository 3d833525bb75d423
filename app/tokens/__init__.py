"""Tokens of the administration's REST API: made and ended by staff, shown once."""
