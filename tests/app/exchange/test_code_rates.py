"""Who looks for codes is turned away before any are burnt in masses; 15.4."""

from __future__ import annotations

import pytest

from app.clock import MINUTE
from app.exchange import code_rates
from app.exchange.code_rates import MISSES, RUNS
from app.throttle import Limit
from protocol.codes import Code
from protocol.errors import ErrorCode, RemoteProtocolError
from tests.app.exchange.coding import WRONG, made, refused, row_of, typed
from tests.app.service_fixtures import ADDRESS, Service


def test_whoever_looks_for_handles_is_turned_away(service: Service) -> None:
    code = made(service)
    for _ in range(MISSES.count):
        missing = typed(service, Code("0000", WRONG))
        with pytest.raises(RemoteProtocolError, match="refused"):
            service.exchange.init(missing.init, address=ADDRESS)
    run = typed(service, code.text)
    assert refused(lambda: service.exchange.init(run.init, address=ADDRESS)) is ErrorCode.BUSY
    assert row_of(service, code).attempts == 0
    # Elsewhere nobody notices.
    assert service.exchange.init(run.init, address="198.51.100.1")
    service.clock.advance(15 * MINUTE)
    late = typed(service, made(service).text)
    assert service.exchange.init(late.init, address=ADDRESS)


def test_a_whole_ipv6_network_counts_as_one(service: Service) -> None:
    for number in range(MISSES.count):
        run = typed(service, Code("0000", WRONG))
        with pytest.raises(RemoteProtocolError):
            service.exchange.init(run.init, address=f"2001:db8::{number:x}")
    run = typed(service, made(service).text)
    assert refused(lambda: service.exchange.init(run.init, address="2001:db8::ffff")) is (
        ErrorCode.BUSY
    )


def test_many_misses_in_all_turn_those_away_that_missed_once(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_rates, "ALL_MISSES", Limit("code-misses-in-all", 2, 15 * MINUTE))
    for number in range(2):
        run = typed(service, Code("0000", WRONG))
        with pytest.raises(RemoteProtocolError):
            service.exchange.init(run.init, address=f"192.0.2.{number}")
    run = typed(service, made(service).text)
    assert refused(lambda: service.exchange.init(run.init, address="192.0.2.1")) is ErrorCode.BUSY
    assert service.exchange.init(run.init, address="192.0.2.200")


def test_runs_of_one_address_are_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_rates, "RUNS", Limit(RUNS.name, 2, RUNS.window))
    code = made(service)
    first = typed(service, code.text, secret=WRONG)
    for _ in range(3):
        assert service.exchange.init(first.init, address=ADDRESS)
    service.exchange.init(typed(service, code.text, secret=WRONG).init, address=ADDRESS)
    third = typed(service, code.text)
    assert refused(lambda: service.exchange.init(third.init, address=ADDRESS)) is ErrorCode.BUSY
