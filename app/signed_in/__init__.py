"""The browsers and devices in which a person is signed in."""
