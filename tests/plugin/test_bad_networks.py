"""The device on a bad line to its exchange: each message spoiled, both sides end with one key."""

from collections.abc import Callable, Iterator

import pytest

from plugin import handler
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange.contact import report_in
from plugin.paths import Paths
from tests.peers.fault_proxy import PASSING, Fault, FaultProxy, fault_proxy
from tests.plugin.conftest import open_device
from tests.plugin.loopback_service import Service
from tests.plugin.test_activate import allow, quiet

PATHS = ("/init", "/confirm", "/packet")
SLOW = (Fault.SLOW, Fault.NARROW)


@pytest.fixture
def line(service: Service) -> Iterator[FaultProxy]:
    """Stands where the documents say that the exchange is."""
    with fault_proxy() as line:
        line.backend = int(service.exchange.rpartition(":")[2])
        service.exchange = f"http://localhost:{line.port}"
        yield line


@pytest.fixture
def device(paths: Paths, service: Service, line: FaultProxy) -> Device:
    device = open_device(paths)
    device.trust.add(service.bundle, service.key_set(), ca_file=service.ca_file)
    return device


def activate(device: Device, document: bytes) -> None:
    handler.activate(document, device=device, origin=None, consent=allow, progress=quiet)


def rotate(device: Device) -> None:
    held = {key.key_id for key in device.store.read().keys}
    problems = [one.problem for one in report_in(device, rotate=held) if one.problem]
    if problems:
        raise problems[0]


def settled(device: Device, service: Service) -> set[str]:
    """Both sides have one and the same key; return its id."""
    contents = device.store.read()
    held = {key.key_id for key in contents.keys}
    assert len(held) == 1
    assert not contents.pending
    assert service.packets.active() == held
    return held


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=pytest.mark.faults if fault in SLOW else (), id=fault)
        for fault in PASSING
    ],
)
def test_every_message_may_be_spoiled_once(
    fault: Fault, device: Device, service: Service, line: FaultProxy
) -> None:
    for path in PATHS:
        line.spoil(path, fault)
    activate(device, service.issue())
    rotate(device)
    first = settled(device, service)
    for path in PATHS:
        line.spoil(path, fault)
    rotate(device)
    assert not settled(device, service) & first
    assert not any(line.count(path, fault) for path in PATHS)


def test_old_packets_that_come_late_change_nothing(
    device: Device, service: Service, line: FaultProxy
) -> None:
    activate(device, service.issue())
    line.spoil("/packet", *[Fault.REPEATED] * 3)
    for _report in range(4):
        assert [one.problem for one in report_in(device)] == [None]
    refused = [one.status for one in line.passed if one.status == 409]
    assert len(refused) == 3
    settled(device, service)


@pytest.mark.parametrize("seed", range(4))
def test_a_storm_costs_tries_and_no_keys(
    seed: int, device: Device, service: Service, line: FaultProxy
) -> None:
    line.storm(seed, 0.5)
    through(lambda: activate(device, service.issue()), device, set())
    before = {key.key_id for key in device.store.read().keys}
    through(lambda: rotate(device), device, before)
    line.heal()
    assert [one.problem for one in report_in(device)] == [None]
    assert not settled(device, service) & before


def through(step: Callable[[], None], device: Device, before: set[str]) -> None:
    """Do it until there is a new key, as a person would: what was begun goes on by itself."""
    for _try in range(10):
        try:
            step()
        except UserError as error:
            check(error)
        while device.pending():
            handler.resume(device, quiet, problem=check)
        if {key.key_id for key in device.store.read().keys} - before:
            return
    pytest.fail("it never came through")


def check(error: UserError) -> None:
    """The person is told that it can go on, and how."""
    assert error.exit_code == ExitCode.UNFINISHED
    assert error.hint
