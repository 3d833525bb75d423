"""The portal's REST API as a device uses it: calls, messages, signing in, credentials."""
