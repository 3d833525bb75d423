"""The audit as a whole: read, searched, linked, verified, exported."""
