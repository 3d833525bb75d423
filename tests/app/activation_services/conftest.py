"""The service without its listeners, over both databases."""

from tests.app.service_fixtures import (
    clock,
    database,
    postgresql_database,
    service,
    shared_postgresql,
    sqlite_database,
    sqlite_service,
)

__all__ = [
    "clock",
    "database",
    "postgresql_database",
    "service",
    "shared_postgresql",
    "sqlite_database",
    "sqlite_service",
]
