"""The exchange process sweeps by itself, and goes on after a fault."""

import time

import pytest
from sqlalchemy import select

from app.activation.sweep import sweep
from app.clock import MINUTE
from app.database import DatabaseUnavailableError
from app.exchange import sweeper as module
from app.exchange.sweeper import Sweeper
from app.models import Activation
from tests.app.service_fixtures import Service


def prs_is_gone(service: Service) -> bool:
    with service.database.read() as session:
        return list(session.scalars(select(Activation.prs_sealed))) == [None]


def test_it_sweeps_again_after_a_fault(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service = sqlite_service
    service.issue(service.ann)
    service.clock.advance(5 * MINUTE)
    faults = iter([DatabaseUnavailableError("locked")])

    def once_unavailable(*where: object) -> object:
        for fault in faults:
            raise fault
        return sweep(service.database, service.clock)

    monkeypatch.setattr(module, "sweep", once_unavailable)
    sweeper = Sweeper(service.database, service.clock, interval=0.02)
    sweeper.start()
    deadline = time.monotonic() + 10
    while not prs_is_gone(service) and time.monotonic() < deadline:
        time.sleep(0.02)
    sweeper.stop()

    assert prs_is_gone(service)
    assert "sweep put off" in caplog.text
