"""The administration's REST API."""
