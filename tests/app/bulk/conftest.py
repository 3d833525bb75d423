"""An office over either database."""

from __future__ import annotations

import pytest

from tests.app.bulk.lists import Office
from tests.app.service_fixtures import Service


@pytest.fixture
def office(service: Service) -> Office:
    """Staff with lists, over SQLite and over PostgreSQL."""
    return Office(service)


@pytest.fixture
def sqlite_office(sqlite_service: Service) -> Office:
    """The same for what does not depend on the database."""
    return Office(sqlite_service)
