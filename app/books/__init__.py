"""Service books: how a device uses what it was activated for."""
