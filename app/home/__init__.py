"""Your account: mail addresses, their services, and where each is active."""
