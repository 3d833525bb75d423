"""The device reports in: keys get proven, books arrive, endings and new keys are learned."""

import msgspec
import pytest

from plugin import limits
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact, packets
from plugin.exchange.contact import Contact, report_in
from plugin.handler import activate
from plugin.keystore.records import Contents, KeyRecord
from plugin.paths import Paths
from protocol import media_type
from protocol.channel import read_packet
from protocol.errors import ErrorCode
from protocol.handshake import problem
from protocol.service_book import sign_book
from tests.plugin.conftest import open_device
from tests.plugin.loopback_service import Message, Service, fresh_key
from tests.plugin.test_activate import allow, quiet
from tests.plugin.test_faulty_exchange import always, lose

RESENDS = len(limits.RESEND_PAUSES)


def activated(device: Device, service: Service, *services: str) -> tuple[KeyRecord, ...]:
    document = service.issue(*services)
    return activate(document, device=device, origin=None, consent=allow, progress=quiet).keys


@pytest.fixture
def key(device: Device, service: Service) -> KeyRecord:
    """One active key that nobody has used yet."""
    (key,) = activated(device, service)
    return key


def only(device: Device) -> KeyRecord:
    (key,) = device.store.read().keys
    return key


def report(device: Device) -> Contact:
    (one,) = report_in(device)
    return one


def numbers(service: Service) -> list[int]:
    return [read_packet(body).number for path, body in service.requests if path == "/packet"]


def test_an_answer_proves_the_key(key: KeyRecord, device: Device, service: Service) -> None:
    assert (key.proven, key.reported) == (None, None)
    assert report(device).outcome == "answered"
    proven = only(device).proven
    assert proven is not None
    assert only(device).reported == proven
    assert service.packets.rows[key.key_id].proven


def test_a_later_answer_does_not_move_the_proof(
    key: KeyRecord, device: Device, paths: Paths, service: Service
) -> None:
    report(device)
    later = Device.open(paths, clock=lambda: device.clock() + 3600, transport=device.transport)
    report(later)
    assert only(device).proven == only(later).proven
    assert (only(later).reported or 0) >= (only(later).proven or 0) + 3600


def test_the_service_is_told_who_reports(key: KeyRecord, device: Device, service: Service) -> None:
    report(device)
    ((key_id, told),) = service.packets.reports
    about = device.description()
    assert key_id == key.key_id
    assert (told.name, told.platform, told.handler) == (about.name, about.platform, about.handler)
    assert (told.book, told.rotate) == (None, False)


def test_a_book_arrives_once_and_is_renewed(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.packets.book(key.session_key())
    report(device)
    first = only(device).book
    assert first is not None
    report(device)
    assert only(device).book == first
    service.packets.book(key.session_key(), host="other.example.org")
    report(device)
    assert only(device).book not in (None, first)


def test_until_the_owner_confirms_there_is_no_book(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.packets.book(key.session_key())
    service.packets.waiting = True
    report(device)
    assert (only(device).waiting, only(device).book) == (True, None)
    service.packets.waiting = False
    report(device)
    assert only(device).waiting is False
    assert only(device).book is not None


@pytest.mark.parametrize("change", ["signer", "account", "issuer"])
def test_a_book_that_is_not_for_this_key_is_left_out(
    change: str, key: KeyRecord, device: Device, service: Service
) -> None:
    book = service.packets.book(key.session_key())
    report(device)
    held = only(device).book
    signer = service.exchange_key
    if change == "signer":
        signer = fresh_key()
    elif change == "account":
        book = msgspec.structs.replace(book, account="bob@example.org")
    else:
        book = msgspec.structs.replace(book, iss="https://other.example")
    service.packets.forged_book = sign_book(book, signer).decode()
    one = report(device)
    assert one.answered
    assert one.problem is not None
    assert one.problem.exit_code is ExitCode.UNTRUSTED
    assert only(device).book == held


def test_lost_answers_are_asked_for_with_fresh_numbers(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(lose("/packet", RESENDS))
    assert report(device).outcome == "answered"
    assert len(set(numbers(service))) == len(numbers(service)) == RESENDS + 1


def test_without_an_answer_nothing_changes(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(lose("/packet", RESENDS + 1))
    one = report(device)
    assert one.outcome == "unfinished"
    assert one.problem is not None
    assert one.problem.exit_code is ExitCode.UNFINISHED
    assert msgspec.structs.replace(only(device), reserved=0) == key
    assert report(device).outcome == "answered"


@pytest.mark.parametrize("code", list(ErrorCode))
def test_no_error_answer_changes_what_is_stored(
    code: ErrorCode, key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(always("/packet", (code.status, media_type.PROBLEM, problem(code))))
    one = report(device)
    assert one.outcome == "unfinished"
    assert msgspec.structs.replace(only(device), reserved=0) == key
    service.faults.clear()
    assert report(device).outcome == "answered"


def test_numbers_are_reserved_before_they_are_used(
    key: KeyRecord, device: Device, service: Service, paths: Paths
) -> None:
    def look(asked: str, answer: Message) -> Message:
        if asked == "/packet":
            assert only(open_device(paths)).reserved >= numbers(service)[-1]
        return answer

    service.faults.append(look)
    report(device)
    report(open_device(paths))
    assert numbers(service) == [1, 65]


def test_two_programs_never_use_one_number(
    key: KeyRecord, device: Device, paths: Paths, service: Service
) -> None:
    ours = packets._Numbers(key.key_id, device)
    theirs = packets._Numbers(key.key_id, open_device(paths))
    taken = [numbers.take() for _ in range(70) for numbers in (ours, theirs)]
    assert len(set(taken)) == len(taken) == 140


def test_a_packet_that_another_program_overtook_is_sent_again(
    key: KeyRecord, device: Device, paths: Paths, service: Service
) -> None:
    other = open_device(paths)

    def overtake(asked: str, answer: Message) -> Message:
        if asked == "/packet" and numbers(service)[-1] == 1:
            service.faults.clear()
            for _ in range(2):
                report(other)
            return 409, media_type.PROBLEM, problem(ErrorCode.REPLAYED)
        return answer

    service.faults.append(overtake)
    assert report(device).outcome == "answered"
    assert numbers(service) == [1, 65, 129, 193]


@pytest.mark.parametrize("kind", ["replayed", "reflected", "of another key", "cut"])
def test_an_answer_that_is_not_to_this_packet_is_refused(
    kind: str, device: Device, service: Service
) -> None:
    first, _second = activated(device, service, "mail", "contacts")
    recorded: list[Message] = []

    def change(asked: str, answer: Message) -> Message:
        if asked != "/packet":
            return answer
        recorded.append(answer)
        status, name, body = answer
        if kind == "replayed":
            return recorded[0] if len(recorded) > 1 else answer
        if kind == "reflected":
            return status, name, service.requests[-1][1]
        if kind == "cut":
            return status, name, body[:-9]
        own = read_packet(service.requests[-1][1]).key == first.key_id
        others = [one for one in recorded if read_packet(one[2]).key != first.key_id]
        return others[-1] if own and others else answer

    service.faults.append(change)
    before = report_in(device)
    again = report_in(device)
    assert [one.outcome for one in before + again].count("unfinished") >= 1
    told = [key.reported for key in device.store.read().keys]
    answered = {one.key.key_id for one in before + again if one.answered}
    assert len([at for at in told if at is not None]) == len(answered)


def test_answers_of_two_programs_in_each_other_s_place_are_refused(
    key: KeyRecord, device: Device, service: Service, paths: Paths
) -> None:
    other = open_device(paths)
    answers: list[Message] = []

    def swap(asked: str, answer: Message) -> Message:
        if asked != "/packet" or len(answers) == 2:
            return answer
        answers.append(answer)
        if len(answers) == 1:
            report_in(other, pauses=())
            # Ours gets the answer to the later packet.
            return answers[1]
        return answers[0]

    service.faults.append(swap)
    assert report_in(device, pauses=())[0].outcome == "unfinished"
    assert only(device).proven is None


def test_of_many_keys_only_the_first_waits_for_a_dead_network(
    device: Device, service: Service
) -> None:
    activated(device, service, "mail", "contacts", "calendar")
    service.faults.append(lose("/packet", 99))
    assert [one.outcome for one in report_in(device)] == ["unfinished"] * 3
    assert len(numbers(service)) == RESENDS + 1 + 2


def test_a_revoked_key_is_dropped(key: KeyRecord, device: Device, service: Service) -> None:
    service.packets.rows[key.key_id].state = "revoked"
    assert report(device).outcome == "revoked"
    assert device.store.read().keys == ()


def test_a_notice_by_a_new_exchange_key_is_believed_once_the_key_set_says_so(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.exchange_key = fresh_key()
    service.version = 2
    service.packets.rows[key.key_id].state = "revoked"
    assert report(device).outcome == "revoked"
    assert len([path for path, _body in service.requests if path.endswith("-keys")]) == 1


@pytest.mark.parametrize("forgery", ["signer", "key", "status", "media type"])
def test_a_notice_that_is_not_genuine_is_noise(
    forgery: str, device: Device, service: Service
) -> None:
    key, other = activated(device, service, "mail", "contacts")
    about = other if forgery == "key" else key
    body = service.packets.notice(about.key_id, "revoked")
    status, name = 410, media_type.NOTICE
    if forgery == "signer":
        kept, service.exchange_key = service.exchange_key, fresh_key()
        body = service.packets.notice(key.key_id, "revoked")
        service.exchange_key = kept
    elif forgery == "status":
        status = 403
    elif forgery == "media type":
        name = media_type.PROBLEM
    service.faults.append(always("/packet", (status, name, body)))
    (one,) = report_in(device, only={key.key_id})
    assert one.outcome == "unfinished"
    assert len(device.store.read().keys) == 2


def test_a_newer_key_ends_the_older_one_on_both_sides(
    key: KeyRecord, device: Device, service: Service
) -> None:
    (newer,) = activated(device, service)
    (other,) = activated(device, service, "contacts")
    service.faults.append(lose("/packet", RESENDS + 1))
    report_in(device, only={newer.key_id})
    assert len(device.store.read().keys) == 3
    report_in(device)
    kept = {one.key_id for one in device.store.read().keys}
    assert kept == {newer.key_id, other.key_id} == service.packets.active()


def test_where_the_newest_is_unknown_the_older_key_still_reports(
    key: KeyRecord, device: Device, service: Service
) -> None:
    (newer,) = activated(device, service)
    del service.packets.rows[newer.key_id]
    outcomes = [one.outcome for one in report_in(device)]
    assert outcomes == ["unfinished", "answered"]
    assert len(device.store.read().keys) == 2


def test_a_key_without_its_exchange_finds_it_in_the_key_set(
    key: KeyRecord, device: Device, service: Service
) -> None:
    def forget(contents: Contents) -> Contents:
        old = msgspec.structs.replace(contents.keys[0], exchange=None)
        return msgspec.structs.replace(contents, keys=(old,))

    device.store.change(forget)
    assert report(device).outcome == "answered"
    assert only(device).exchange == service.exchange


def test_a_key_removed_meanwhile_does_not_come_back(
    key: KeyRecord, device: Device, service: Service
) -> None:
    def remove(asked: str, answer: Message) -> Message:
        if asked == "/packet":
            device.forget(key.key_id)
        return answer

    service.faults.append(remove)
    assert report(device).outcome == "unfinished"
    assert device.store.read().keys == ()


def test_revoking_ends_the_key_on_both_sides(
    key: KeyRecord, device: Device, service: Service
) -> None:
    contact.end(key, device)
    assert service.packets.rows[key.key_id].state == "revoked"
    assert device.store.read().keys == ()


def test_revoking_survives_a_lost_answer(key: KeyRecord, device: Device, service: Service) -> None:
    service.faults.append(lose("/packet", 1))
    contact.end(key, device)
    assert device.store.read().keys == ()


def test_revoking_without_the_service_changes_nothing(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(lose("/packet", RESENDS + 1))
    with pytest.raises(UserError) as failed:
        contact.end(key, device)
    assert failed.value.exit_code is ExitCode.UNFINISHED
    assert only(device).key_id == key.key_id


def test_nothing_after_an_activation_makes_it_fail(
    key: KeyRecord, device: Device, service: Service
) -> None:
    service.faults.append(always("/packet", (500, "text/html", b"<h1>no</h1>")))
    contact.after_activation(device, (key,))
    assert only(device).proven is None
