"""The service has everything of somebody removed here; the device does it, says so, tells them."""

import json

import msgspec
import pytest

from plugin.crashpoints import EXIT_STATUS
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.keystore.records import Contents, KeyRecord, ProgramRecord
from plugin.paths import Paths
from protocol import media_type
from tests.plugin.conftest import Run, open_device
from tests.plugin.loopback_service import Message, Service
from tests.plugin.test_contact import activated


@pytest.fixture
def keys(device: Device, service: Service) -> tuple[KeyRecord, ...]:
    """Ann's keys for two services."""
    return activated(device, service, "mail", "contacts")


@pytest.fixture
def crowded(device: Device, service: Service, keys: tuple[KeyRecord, ...]) -> tuple[KeyRecord, ...]:
    """A token, a program, and the same of somebody else's beside them."""
    program = ProgramRecord("/bin/sync", "0" * 64, service.issuer, "mail", keys[0].account, "s", 1)

    def fill(contents: Contents) -> Contents:
        foreign = msgspec.structs.replace(keys[0], key_id="B" * 22, sub="bob", account="bob@x.y")
        return msgspec.structs.replace(
            contents,
            keys=(*contents.keys, foreign),
            tokens={service.issuer: "secret", "https://other.example": "kept"},
            programs=(program, msgspec.structs.replace(program, account="bob@x.y")),
        )

    device.store.change(fill)
    return keys


def held(paths: Paths) -> Contents:
    return open_device(paths).store.read()


def removed_posts(service: Service) -> list[bytes]:
    return [body for path, body in service.requests if path == "/removed"]


def test_everything_of_the_owner_goes_and_nothing_else(
    device: Device, service: Service, crowded: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.packets.remove_all()
    contacts = contact.report_in(device, pauses=())
    assert {one.outcome for one in contacts if one.key.sub == "ann"} == {"remove"}
    left = held(paths)
    assert [key.sub for key in left.keys] == ["bob"]
    assert left.tokens == {"https://other.example": "kept"}
    assert [program.account for program in left.programs] == ["bob@x.y"]
    assert service.issuer in left.identities
    (record,) = left.removals
    assert record.accounts == (crowded[0].account,)
    assert record.noted is not None
    assert service.packets.removed == [record.key]


def test_a_run_that_was_cut_goes_along(
    device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.faults.append(lambda path, message: None if path == "/confirm" else message)
    with pytest.raises(UserError):
        activated(device, service, "calendar")
    service.faults.clear()
    assert len(held(paths).pending) == 1
    service.packets.remove_all()
    contact.report_in(device, pauses=())
    assert held(paths).pending == ()
    assert keys


def test_what_was_not_noted_is_said_again_with_the_same_bytes(
    device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.packets.remove_all()
    service.faults.append(lambda path, message: None if path == "/removed" else message)
    contact.report_in(device, pauses=())
    assert held(paths).keys == ()
    assert held(paths).removals[0].noted is None
    service.faults.clear()
    contact.report_in(open_device(paths), pauses=())
    contact.report_in(open_device(paths), pauses=())
    assert held(paths).removals[0].noted is not None
    posts = removed_posts(service)
    assert len(posts) == 2
    assert len(set(posts)) == 1
    assert keys


UNSIGNED = b'{"v":1,"key":"%b","signature":"%b"}' % (b"A" * 43, b"A" * 86)
REFUSED = (403, media_type.PROBLEM, b'{"type":"x","title":"x","status":403,"code":"refused"}')


@pytest.mark.parametrize(
    "noise",
    [
        (200, media_type.EXCHANGE, b"{}"),
        (
            200,
            media_type.EXCHANGE,
            b'{"v":1,"key":"' + b"A" * 43 + b'","signature":"' + b"A" * 86 + b'"}',
        ),
        (200, "text/plain", b"ok"),
        REFUSED,
        (503, media_type.PROBLEM, b""),
    ],
)
def test_noise_ends_nothing(
    noise: Message, device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.packets.remove_all()
    service.faults.append(lambda path, message: noise if path == "/removed" else message)
    contact.report_in(device, pauses=())
    assert held(paths).removals[0].noted is None
    assert keys


@pytest.mark.parametrize("state", [410, 403, 200])
def test_no_notice_no_removal(
    state: int, device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    """Only what the exchange signed about this very key removes anything."""
    other = service.packets.notice("C" * 21 + "A", "remove")
    forged = other[:-8] + b"AAAAAAAA"
    answers = iter([other, forged, b"", REFUSED[2]] * 2)

    def answer(path: str, message: Message) -> Message | None:
        return (state, media_type.NOTICE, next(answers)) if path == "/packet" else message

    service.faults.append(answer)
    for _ in range(4):
        contact.report_in(device, pauses=())
    assert len(held(paths).keys) == len(keys)
    assert held(paths).removals == ()


def test_status_tells_the_person(
    service: Service, keys: tuple[KeyRecord, ...], handfast: Run
) -> None:
    service.packets.remove_all()
    refreshed = handfast("refresh")
    assert refreshed.returncode == ExitCode.REFUSED_BY_SERVICE
    assert "had everything of it removed from this device" in refreshed.stdout
    status = handfast("status")
    assert f"everything of {keys[0].account} at {service.issuer}" in status.stdout
    assert "does not know yet" not in status.stdout
    told = json.loads(handfast("status", "--json").stdout)
    (one,) = told["removed"]
    assert one["accounts"] == [keys[0].account]
    assert one["noted"] is not None


def test_after_a_new_activation_nobody_is_told_any_more(
    device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.packets.remove_all()
    contact.report_in(device, pauses=())
    activated(device, service, "mail")
    assert held(paths).removals == ()
    assert keys


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "point",
    [
        "device.packet.sent",
        "device.removal.stored",
        "device.removal.sent",
        "device.removal.noted",
        "store.temp.written",
        "store.renamed",
    ],
)
def test_a_killed_device_ends_without_keys_and_the_service_knows(
    point: str,
    times: int,
    service: Service,
    keys: tuple[KeyRecord, ...],
    paths: Paths,
    handfast: Run,
) -> None:
    service.packets.remove_all()
    for _ in range(times):
        done = handfast("refresh", HANDFAST_TESTING="1", HANDFAST_CRASH_AT=point)
    # The second time some points are behind it already.
    assert done.returncode == EXIT_STATUS or times == 2
    handfast("refresh")
    left = held(paths)
    assert left.keys == ()
    assert left.removals[0].noted is not None
    assert service.packets.removed
    assert keys


def test_a_service_that_is_trusted_no_more_is_not_answered(
    device: Device, service: Service, keys: tuple[KeyRecord, ...], paths: Paths
) -> None:
    service.packets.remove_all()
    service.faults.append(lambda path, message: None if path == "/removed" else message)
    contact.report_in(device, pauses=())
    device.forget_issuer(service.issuer)
    assert held(paths).removals == ()
    contact.report_in(open_device(paths), pauses=())
    # Nor does asking make a new identity for it.
    assert service.issuer not in held(paths).identities
    assert keys
