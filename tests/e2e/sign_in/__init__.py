"""Signing in, in a real browser."""
