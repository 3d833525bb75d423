"""The demo's parts, which the end-to-end tests use too."""
