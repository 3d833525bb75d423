"""What is not exactly right is refused: without a network act, a stored byte or a traceback."""

import random

import pytest

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.handler import activate
from protocol.encoding import b64u
from tests.plugin.loopback_service import Service, fresh_key
from tests.plugin.test_activate import allow, quiet


def refusal(document: bytes, device: Device, *, origin: str | None = None) -> UserError:
    """Return the error; nothing was asked, sent or stored."""
    before = device.store.read()

    def never(_request: object) -> bool:
        raise AssertionError("the person was asked about a bad document")

    with pytest.raises(UserError) as refused:
        activate(document, device=device, origin=origin, consent=never, progress=quiet)
    assert device.store.read() == before
    assert refused.value.exit_code is ExitCode.UNTRUSTED
    return refused.value


def test_every_truncation_is_refused(device: Device, service: Service) -> None:
    document = service.issue()
    for length in range(0, len(document), 7):
        refusal(document[:length], device)
    assert service.requests == []


def test_flipped_bits_are_refused(device: Device, service: Service) -> None:
    document = service.issue()
    chance = random.Random(1)  # noqa: S311 - a fixed seed makes the test the same every time.
    for _count in range(300):
        altered = bytearray(document)
        altered[chance.randrange(len(altered))] ^= 1 << chance.randrange(8)
        refusal(bytes(altered), device)
    assert service.requests == []


@pytest.mark.parametrize("document", [b"", b"a.b.c", b"\xff" * 40, b"x" * 70_000, b"{}", b".."])
def test_what_is_no_document_is_refused(document: bytes, device: Device) -> None:
    refusal(document, device)


def test_an_expired_document_says_for_how_long(device: Device, service: Service) -> None:
    error = refusal(service.issue(age=480), device)
    assert error.message == "the document expired 3 minutes ago"
    assert error.hint == 'press "Activate this device" or run "handfast activate" again'


def test_a_document_from_another_origin_is_refused(device: Device, service: Service) -> None:
    error = refusal(service.issue(), device, origin="https://evil.example")
    assert "another site" in error.message


def test_a_document_for_another_device_is_refused(device: Device, service: Service) -> None:
    error = refusal(service.issue(jkt=b64u(bytes(32))), device)
    assert "another device" in error.message


def test_a_document_for_this_device_is_taken(device: Device, service: Service) -> None:
    document = service.issue(jkt=device.identity(service.issuer).kid)
    activate(document, device=device, origin=service.issuer, consent=allow, progress=quiet)
    assert {key.words for key in device.store.read().keys} == service.words()


def test_a_document_signed_by_a_stranger_is_refused(device: Device, service: Service) -> None:
    service.document_key = fresh_key()
    error = refusal(service.issue(), device)
    assert "nobody this device trusts" in error.message


def test_a_stale_key_set_is_told_apart(device: Device, service: Service) -> None:
    later = device.clock() + 40 * 86400
    stale = Device.open(device.paths, clock=lambda: later)
    error = refusal(service.issue(age=-40 * 86400), stale)
    assert "out of date" in error.message
    assert "trust update" in error.hint


def test_an_unknown_exchange_is_refused(device: Device, service: Service) -> None:
    service.exchange = "http://localhost:1"
    error = refusal(service.issue(), device)
    assert "nobody vouches for" in error.message


def test_a_document_that_expires_while_the_person_thinks_is_refused(
    device: Device, service: Service
) -> None:
    now = [device.clock()]
    slow = Device.open(device.paths, clock=lambda: now[0])

    def think(_request: object) -> bool:
        now[0] += 600
        return True

    with pytest.raises(UserError, match="expired"):
        activate(service.issue(), device=slow, origin=None, consent=think, progress=quiet)
    assert service.requests == []
