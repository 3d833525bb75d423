"""A key is replaced by a new one: nothing is lost, whichever answer is."""

from collections.abc import Callable

import msgspec
import pytest

from plugin import limits
from plugin.device import Device
from plugin.errors import ExitCode
from plugin.exchange import rotation
from plugin.exchange.contact import report_in
from plugin.keystore.records import Contents, KeyRecord
from plugin.paths import Paths
from protocol.channel import read_packet
from tests.plugin.conftest import open_device
from tests.plugin.loopback_packets import Row
from tests.plugin.loopback_service import Fault, Message, Service
from tests.plugin.test_contact import activated, only, report

RESENDS = len(limits.RESEND_PAUSES)
DAY = 86400


@pytest.fixture
def key(device: Device, service: Service) -> KeyRecord:
    """A proven key, with a book, that the service wants replaced."""
    (key,) = activated(device, service)
    service.packets.book(key.session_key())
    report(device)
    service.packets.rows[key.key_id].due = True
    return only(device)


def row(service: Service, key: KeyRecord) -> Row:
    return service.packets.rows[key.key_id]


def check_replaced(device: Device, service: Service, old: KeyRecord) -> None:
    new = only(device)
    assert new.key_id != old.key_id
    assert {new.key_id} == service.packets.active()
    assert new.proven is not None
    assert device.pending() == ()


def test_an_offered_rotation_is_run_at_once(
    key: KeyRecord, device: Device, service: Service
) -> None:
    one = report(device)
    assert (one.outcome, one.replaced) == ("replaced", key.key_id)
    check_replaced(device, service, key)
    assert row(service, key).state == "retired"


def test_the_new_key_has_the_book_of_the_old_one(
    key: KeyRecord, device: Device, service: Service
) -> None:
    asked = len(service.packets.reports)
    report(device)
    assert only(device).book == key.book is not None
    # Not even asked for: the new key says which one it holds.
    assert all(report.book for _key, report in service.packets.reports[asked:])


def test_old_and_new_key_have_nothing_in_common(
    key: KeyRecord, device: Device, service: Service
) -> None:
    report(device)
    assert only(device).key != key.key
    assert only(device).words != key.words
    assert (only(device).account, only(device).service_uid) == (key.account, key.service_uid)


def nth(path: str, number: int) -> Fault:
    """Return a fault that drops the answer to the nth request for `path`, and the resends of it."""
    seen: list[str] = []

    def fault(asked: str, answer: Message) -> Message | None:
        if asked == path:
            seen.append(asked)
            if number <= len(seen) <= number + RESENDS:
                return None
        return answer

    return fault


@pytest.mark.parametrize(
    ("path", "number"), [("/packet", 1), ("/init", 1), ("/confirm", 1), ("/packet", 2)]
)
def test_each_answer_may_be_lost(
    path: str, number: int, key: KeyRecord, device: Device, service: Service, paths: Paths
) -> None:
    service.faults.append(nth(path, number))
    report_in(device)
    held = {one.key_id for one in device.store.read().keys}
    assert held & service.packets.active()
    service.faults.clear()
    later = open_device(paths)
    report_in(later)
    check_replaced(later, service, key)


@pytest.mark.parametrize("path", ["/packet", "/init", "/confirm"])
def test_one_lost_answer_is_asked_for_at_once(
    path: str, key: KeyRecord, device: Device, service: Service
) -> None:
    left = [1]

    def lose(asked: str, answer: Message) -> Message | None:
        if asked == path and left:
            left.pop()
            return None
        return answer

    service.faults.append(lose)
    report(device)
    check_replaced(device, service, key)


def test_the_old_key_stays_until_the_service_answers_under_the_new_one(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(nth("/packet", 2))
    one = report_in(device)[0]
    assert one.outcome == "unfinished"
    held = [other.key_id for other in device.store.read().keys]
    assert held == [key.key_id, held[1]]


@pytest.fixture
def cut(key: KeyRecord, device: Device, service: Service) -> KeyRecord:
    """A key whose rotation has sent its confirm and got no answer."""
    service.faults.append(nth("/confirm", 1))
    report(device)
    service.faults.clear()
    (record,) = device.pending()
    assert (record.kind, record.replaces) == ("rotation", key.key_id)
    return key


def test_a_cut_rotation_goes_on_with_the_same_bytes(
    cut: KeyRecord, device: Device, service: Service
) -> None:
    report(device)
    check_replaced(device, service, cut)
    assert len({body for path, body in service.requests if path == "/confirm"}) == 2


def test_a_cut_rotation_does_not_end_with_the_week(
    cut: KeyRecord, device: Device, service: Service, paths: Paths
) -> None:
    now = device.clock() + 20 * DAY
    later = Device.open(paths, clock=lambda: now, transport=device.transport)
    assert len(later.pending()) == 1
    report(later)
    check_replaced(later, service, cut)


def test_another_offer_under_the_key_ends_the_cut_one(
    cut: KeyRecord, device: Device, service: Service
) -> None:
    # The service has forgotten the run, as after its backup was restored.
    successor = set(service.packets.rows) - {cut.key_id}
    for key_id in successor:
        del service.packets.rows[key_id]
    service.packets.offer(row(service, cut))
    service.faults.append(nth("/init", 1))
    assert report(device).answered
    assert device.pending() == ()
    service.faults.clear()
    assert report(device).outcome == "replaced"
    check_replaced(device, service, cut)


def test_no_offer_and_no_other_answer_ends_the_cut_one(
    cut: KeyRecord, device: Device, service: Service
) -> None:
    before = device.pending()
    service.faults.append(lambda asked, answer: None if asked == "/confirm" else answer)
    one = report(device)
    assert one.answered
    assert one.problem is not None
    assert one.problem.exit_code is ExitCode.UNFINISHED
    row(service, cut).due = False
    assert report(device).answered
    assert device.pending() == before


def test_a_notice_ends_the_cut_one_too(cut: KeyRecord, device: Device, service: Service) -> None:
    row(service, cut).state = "revoked"
    service.faults.append(lambda asked, answer: None if asked == "/confirm" else answer)
    assert report(device).outcome == "revoked"
    assert device.store.read().keys == ()
    assert device.pending() == ()


def test_of_two_programs_one_replaces_the_key(
    key: KeyRecord, device: Device, service: Service, paths: Paths
) -> None:
    other = open_device(paths)

    def overtake(asked: str, answer: Message) -> Message:
        if asked == "/init":
            service.faults.clear()
            report(other)
        return answer

    service.faults.append(overtake)
    report_in(device)
    report_in(device)
    check_replaced(device, service, key)


def test_a_device_with_another_identity_does_not_try(
    key: KeyRecord, device: Device, service: Service
) -> None:
    device.forget_issuer(service.issuer)
    one = report(device)
    assert one.answered
    assert one.problem is not None
    assert "another identity" in one.problem.message
    assert all(path != "/init" for path, _body in service.requests[3:])
    assert only(device).key_id == key.key_id


def test_every_key_has_its_own_age_between_90_and_110_days() -> None:
    ages = [rotation.oldest(f"key-{number}") / DAY for number in range(500)]
    assert ages == [rotation.oldest(f"key-{number}") / DAY for number in range(500)]
    assert 90 <= min(ages) < 92
    assert 108 < max(ages) <= 110


@pytest.mark.parametrize(("days", "asked"), [(89, False), (111, True)])
def test_an_old_key_asks_to_be_replaced(
    days: int, asked: bool, device: Device, service: Service, paths: Paths
) -> None:
    activated(device, service)
    started = device.clock() - days * DAY

    def age(contents: Contents) -> Contents:
        (key,) = contents.keys
        return msgspec.structs.replace(
            contents, keys=(msgspec.structs.replace(key, created=started),)
        )

    device.store.change(age)
    report(device)
    assert service.packets.reports[0][1].rotate is asked
    assert len(service.packets.rows) == (2 if asked else 1)


def test_what_the_person_wishes_is_asked_for(device: Device, service: Service) -> None:
    first, second = activated(device, service, "mail", "contacts")
    report_in(device, rotate={first.key_id})
    kept = {key.key_id for key in device.store.read().keys}
    assert second.key_id in kept
    assert first.key_id not in kept


@pytest.mark.parametrize("altered", ["record", "exchange", "nothing"])
def test_the_successor_knows_where_it_was_made(
    altered: str, key: KeyRecord, device: Device, service: Service
) -> None:
    change: Callable[[KeyRecord], KeyRecord] = {
        "record": lambda one: msgspec.structs.replace(one, exchange=None),
        "exchange": lambda one: msgspec.structs.replace(one, exchange="http://gone.example"),
        "nothing": lambda one: one,
    }[altered]
    device.store.change(
        lambda contents: msgspec.structs.replace(
            contents, keys=tuple(change(one) for one in contents.keys)
        )
    )
    report(device)
    assert only(device).exchange == service.exchange
    sent = [read_packet(body).key for path, body in service.requests if path == "/packet"]
    assert sent[-1] == only(device).key_id
