"""Fixtures of the service's own tests, for tests against real servers."""

from tests.app.service_fixtures import clock, sqlite_database, sqlite_service

__all__ = ["clock", "sqlite_database", "sqlite_service"]
