"""Get the client: the device's programs, offered with all that is needed to trust them."""
