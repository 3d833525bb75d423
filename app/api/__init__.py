"""The REST API: everything a person can do with the portal, for programs."""
