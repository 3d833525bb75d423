"""The device gets ahead of a service that knows higher numbers, and by no more than it must."""

import pytest

from plugin import limits
from plugin.device import Device
from plugin.exchange import packets
from plugin.exchange.contact import report_in
from protocol import media_type
from protocol.channel import BLOCK, MAX_NUMBER, Window
from protocol.errors import ErrorCode
from protocol.handshake import problem
from tests.plugin.loopback_service import Service
from tests.plugin.test_contact import activated, numbers, only, report
from tests.plugin.test_faulty_exchange import always
from tests.protocol.test_specification import section

LEAPT = sum(packets.LEAPS)


@pytest.mark.parametrize(
    ("high", "used"),
    [
        (1, [1, 65]),
        (64, [1, 65]),
        (65, [1, 65, 4225]),
        (4000, [1, 65, 4225]),
        (5000, [1, 65, 4225, 266_433]),
        (266_432, [1, 65, 4225, 266_433]),
    ],
)
def test_one_report_gets_ahead(
    high: int, used: list[int], device: Device, service: Service
) -> None:
    (key,) = activated(device, service)
    service.packets.rows[key.key_id].window = Window(high, b"\xff" * 8)
    assert report(device).outcome == "answered"
    assert numbers(service) == used
    assert only(device).reserved == used[-1] + BLOCK - 1


def test_further_behind_every_report_comes_nearer(device: Device, service: Service) -> None:
    (key,) = activated(device, service)
    service.packets.rows[key.key_id].window = Window(1_000_000, b"\xff" * 8)
    assert [report(device).outcome for _ in range(4)] == ["unfinished"] * 3 + ["answered"]


def test_forged_answers_use_up_few_numbers(device: Device, service: Service) -> None:
    """Somebody on the path says `replayed` whatever is sent."""
    activated(device, service)
    code = ErrorCode.REPLAYED
    service.faults.append(always("/packet", (code.status, media_type.PROBLEM, problem(code))))
    report_in(device)
    lost = only(device).reserved
    assert lost <= LEAPT + BLOCK * (len(limits.RESEND_PAUSES) + 1)
    # A report every second for a hundred years.
    assert lost * 100 * 366 * 86_400 < MAX_NUMBER
    service.faults.clear()
    assert report(device).outcome == "answered"


def test_leaps_are_specified() -> None:
    first, second, later = packets.LEAPS
    text = " ".join(section("16.3 Numbers").split())
    assert first == 0
    assert f"passes over {second:,} numbers, at every later one over {later:,}," in text
