"""The key store: what it holds, in which encoding, and what keeps it closed."""
