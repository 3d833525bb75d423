"""Sign-in, mail accounts and sessions."""
