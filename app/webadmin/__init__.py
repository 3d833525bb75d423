"""WebAdmin: the pages for people who set accounts up for others."""
