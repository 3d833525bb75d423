"""A code is typed, and either side is killed on the way: no run is free, and no key is lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app import crashpoints as service
from app.activation.codes import make_code
from app.clock import SystemClock
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys
from plugin import crashpoints as device
from plugin.errors import ExitCode
from tests.faults.site import ANN, Done, Site, armed, service_id, start, wait_for
from tests.faults.witness import Witness

SERVICES = ("mail", "contacts")
SERVICE_POINTS = tuple(name for name in service.POINTS if name.startswith(("init.", "confirm.")))
DEVICE_POINTS = (
    "device.init.sent",
    "device.reply.received",
    "device.pending.stored",
    "device.confirm.sent",
    "device.complete.received",
    "device.active.stored",
    "store.temp.written",
    "store.renamed",
)


def walked(points: tuple[str, ...], quick: str) -> list[object]:
    """Each point; all but one are for `make faults`."""
    return [
        pytest.param(point, marks=() if point == quick else pytest.mark.faults) for point in points
    ]


def code_for(site: Site, *services: str) -> str:
    """Make a code for Ann, as staff do, and return its text."""
    config, now = site.config, SystemClock().now()
    keys = PortalKeys.open(FileKeyProvider(config.keys_dir), entropy=os.urandom, now=now)
    with site.database() as database:
        ids = [service_id(database, name) for name in services]
        with database.write_connection() as connection:
            made = make_code(
                connection,
                person_id=ANN,
                account_service_ids=ids,
                made_by="staff:olu",
                now=now,
                entropy=os.urandom,
                keys=keys,
                config=config,
            )
    return made.text


@contextmanager
def typing(
    site: Site, code: str, *, crash_at: str | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Start the device's command with a code, to which the person has consented."""
    reading, writing = os.pipe()
    os.write(writing, code.encode() + b"\n")
    os.close(writing)
    command = [sys.executable, "-m", "plugin", "activate", "--yes", "--code-fd", str(reading)]
    environment = {**site.device_environment(), **armed(crash_at)}
    try:
        with start(command, environment, given=(reading,)) as running:
            yield running
    finally:
        os.close(reading)


def typed(site: Site, code: str, *, crash_at: str | None = None) -> Done:
    """Type it on Ann's device."""
    with typing(site, code, crash_at=crash_at) as running:
        return Done.end_of(running)


def finish(site: Site, code: str) -> None:
    """What Ann does: she types it again until she has the keys, or is told to stop."""
    for _ in range(4):
        done = typed(site, code)
        if done.code == 0:
            return
        assert done.code in (ExitCode.UNFINISHED, ExitCode.REFUSED_BY_SERVICE), done.errors
    raise AssertionError(done.errors)


@pytest.mark.parametrize("point", walked(SERVICE_POINTS, "init.committed"))
def test_the_service_is_killed_while_the_device_waits(
    point: str, site: Site, witness: Witness
) -> None:
    code = code_for(site, *SERVICES)
    witness.look()
    exchange = site.start_exchange(crash_at=point)
    try:
        with typing(site, code) as running:
            wait_for(lambda: exchange.gone or running.poll() is not None)
            assert exchange.crashed_at(point)
            witness.look()
            exchange.kill()
            exchange = site.start_exchange()
            done = Done.end_of(running)
        if done.code != 0:
            finish(site, code)
        # The device sent the same bytes again: that was the same run, if it was patient enough.
        if done.code == 0:
            (row,) = [one for one in witness.look().activations.values() if one.kind == "code"]
            assert row.attempts == 1
        witness.check_end(*SERVICES)
        witness.check_secrets_gone()
    finally:
        exchange.kill()


@pytest.mark.parametrize("point", walked(DEVICE_POINTS, "device.pending.stored"))
def test_the_device_is_killed(point: str, site: Site, witness: Witness) -> None:
    code = code_for(site, *SERVICES)
    with site.exchange():
        assert typed(site, code, crash_at=point).code == device.EXIT_STATUS
        witness.look()
        if len(site.device().store.read().keys) == len(witness.held):
            finish(site, code)
        witness.check_end(*SERVICES)
        witness.check_secrets_gone()


def test_five_runs_that_were_cut_use_a_code_up(site: Site, witness: Witness) -> None:
    code = code_for(site, "mail")
    for _ in range(5):
        exchange = site.start_exchange(crash_at="init.committed")
        try:
            with typing(site, code) as running:
                wait_for(lambda: exchange.gone or running.poll() is not None)  # noqa: B023 - read at once
                running.kill()
        finally:
            exchange.kill()
    with site.exchange():
        assert typed(site, code).code == ExitCode.REFUSED_BY_SERVICE
    witness.allowed = (403,)
    (row,) = [one for one in witness.look().activations.values() if one.kind == "code"]
    assert (row.state, row.attempts, row.prs_sealed) == ("open", 5, None)
