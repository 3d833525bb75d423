"""What devices and monitors fetch without signing in."""
