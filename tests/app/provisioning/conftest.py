"""The office, over either database."""

from __future__ import annotations

import pytest

from tests.app.provisioning.office import Office
from tests.app.service_fixtures import Service


@pytest.fixture
def office(service: Service) -> Office:
    """Staff and the service they work for."""
    return Office(service)
