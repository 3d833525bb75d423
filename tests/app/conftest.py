"""The fixtures of the portal, and of the service without its listeners over both databases."""

from tests.app.portal_fixtures import mail_ca, mail_server, open_network, portal
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
    "mail_ca",
    "mail_server",
    "open_network",
    "portal",
    "postgresql_database",
    "service",
    "shared_postgresql",
    "sqlite_database",
    "sqlite_service",
]
