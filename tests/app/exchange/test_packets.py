"""Packets: each number once, one answer at most, and nothing for those who hold no key."""

import pytest
from sqlalchemy import select

from app.accounts.removal import remove_account
from app.activation.services import restore_device, revoke_device, revoke_key
from app.audit import Act
from app.clock import DAY, HOUR
from app.database import DatabaseUnavailableError
from app.models import Activation, AuditEntry, Device, KeyState, MailAccount, ServiceKey
from protocol.channel import MAX_NUMBER, Report, ReportAnswer, open_answer, seal_packet
from protocol.encoding import b64u
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.service_book import book_hash, open_book
from protocol.session import SessionKey
from tests.app.exchange.reporting import Line, activated
from tests.app.exchange.test_unavailable import answers_lost
from tests.app.service_fixtures import Service
from tests.app.together import together


def refused(service: Service, body: bytes) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as caught:
        service.packets.packet(body)
    return caught.value.code


def stored_key(line: Line) -> ServiceKey:
    with line.service.database.read() as session:
        return session.get_one(ServiceKey, line.key.key_id)


def acts(service: Service) -> list[str]:
    with service.database.read() as session:
        about_ann = AuditEntry.subject_id == service.ann.person_id
        return list(
            session.scalars(select(AuditEntry.act).where(about_ann).order_by(AuditEntry.id))
        )


def test_the_first_packet_proves_the_key_and_brings_the_book(service: Service) -> None:
    line = activated(service)

    answer = line.send()

    assert answer.book is not None
    key_set = service.key_set()
    book = open_book(answer.book.encode(), key_set, service.config.exchange_url)
    assert book.is_for(line.key)
    assert (answer.waiting, answer.rotation, answer.at) == (False, None, service.now_seconds)
    assert stored_key(line).proven_at == service.clock.now()
    assert acts(service)[-1] == Act.KEY_PROVEN


def test_a_book_that_the_device_holds_is_not_sent_again(service: Service) -> None:
    line = activated(service)
    book = line.send().book
    assert book is not None

    assert line.send(book=book_hash(book)).book is None
    assert line.send(book=b64u(bytes(32))).book == book
    assert acts(service).count(Act.KEY_PROVEN) == 1


def test_a_report_says_what_the_device_is_called_now(service: Service) -> None:
    line = activated(service)
    service.clock.advance(HOUR)
    line.handset.name = "Ann's old laptop"

    line.send()

    with service.database.read() as session:
        device = session.scalars(select(Device)).one()
        assert (device.name, device.seen_at) == ("Ann's old laptop", service.clock.now())


def test_a_number_is_taken_once(service: Service) -> None:
    line = activated(service)
    first = line.report()
    service.packets.packet(first)

    assert refused(service, first) is ErrorCode.REPLAYED
    assert refused(service, line.report(book=b64u(bytes(32)), number=1)) is ErrorCode.REPLAYED


def test_late_packets_are_taken_within_the_window_only(service: Service) -> None:
    line = activated(service)
    for number in (100, 37, 99):
        assert not service.packets.packet(line.report(number=number)).is_notice

    assert refused(service, line.report(number=36)) is ErrorCode.REPLAYED
    assert refused(service, line.report(number=37)) is ErrorCode.REPLAYED
    assert not service.packets.packet(line.report(number=MAX_NUMBER)).is_notice
    assert refused(service, line.report(number=100)) is ErrorCode.REPLAYED


def test_the_window_is_kept_by_the_database_alone(service: Service) -> None:
    line = activated(service)
    body = line.report()
    service.packets.packet(body)

    with pytest.raises(RemoteProtocolError) as caught:
        service.new_packets().packet(body)

    assert caught.value.code is ErrorCode.REPLAYED


def test_an_answer_sent_back_is_refused(service: Service) -> None:
    line = activated(service)
    answer = service.packets.packet(line.report()).body

    assert refused(service, answer) is ErrorCode.REFUSED
    assert refused(service, answer.replace(b'"number":1', b'"number":2')) is ErrorCode.REFUSED


@pytest.mark.parametrize("change", ["number", "sealed", "key"])
def test_a_changed_packet_is_refused_and_uses_up_nothing(service: Service, change: str) -> None:
    line = activated(service)
    body = line.report()
    other = activated(service, service.handset("Ann's phone"))
    changed = {
        "number": body.replace(b'"number":1', b'"number":2'),
        "sealed": body.replace(b'"sealed":"', b'"sealed":"AAAA'),
        "key": body.replace(line.key.key_id.encode(), other.key.key_id.encode()),
    }[change]

    assert refused(service, changed) is ErrorCode.REFUSED
    assert stored_key(line).received == 0
    assert stored_key(line).proven_at is None
    assert not service.packets.packet(body).is_notice


def test_an_unknown_key_is_refused_like_a_bad_tag(service: Service) -> None:
    stranger = SessionKey("", "", "", "", b"k" * 32)
    content = Report("Thief", "Debian 12", "handfast 0.1", None, False)

    assert refused(service, seal_packet(stranger, "to-service", 1, content)) is ErrorCode.REFUSED


@pytest.mark.parametrize("number", [101, 50])
def test_of_the_same_packet_eight_times_at_once_one_is_answered(
    service: Service, number: int
) -> None:
    line = activated(service)
    service.packets.packet(line.report(number=100))
    body = line.report(number=number)
    processes = [service.new_packets() for _ in range(8)]

    outcomes = together(*(lambda one=one: one.packet(body).body for one in processes))

    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
    assert outcomes.count(ErrorCode.REPLAYED) == 7


def test_different_packets_at_once_are_all_answered(service: Service) -> None:
    line = activated(service)
    bodies = [line.report() for _ in range(4)]

    outcomes = together(*(lambda body=body: service.packets.packet(body).body for body in bodies))

    assert all(isinstance(outcome, bytes) for outcome in outcomes)
    for number, outcome in enumerate(outcomes, 1):
        assert isinstance(outcome, bytes)
        open_answer(line.key, outcome, number=number, expected=ReportAnswer)
    assert acts(service).count(Act.KEY_PROVEN) == 1


@pytest.mark.parametrize("after", [True, False])
def test_an_unknown_commit_is_never_answered(sqlite_service: Service, after: bool) -> None:
    line = activated(sqlite_service)
    body = line.report()

    with (
        answers_lost(sqlite_service.database, after=after),
        pytest.raises(DatabaseUnavailableError),
    ):
        sqlite_service.packets.packet(body)

    assert stored_key(line).received == int(after)
    if after:
        assert refused(sqlite_service, body) is ErrorCode.REPLAYED
    assert not line.send().waiting


def test_proof_ends_the_wait_for_the_complete(service: Service) -> None:
    line = activated(service)

    line.send()

    with service.database.read() as session:
        activation = session.scalars(select(Activation)).one()
        assert (activation.complete, activation.confirm_hash) == (None, None)


def test_a_second_document_replaces_the_key_once_it_is_proven(service: Service) -> None:
    old = activated(service)
    elsewhere = activated(service, service.handset("Ann's phone"))
    contacts = activated(service, old.handset, of="contacts")
    for line in (old, elsewhere, contacts):
        line.send()
    service.clock.advance(HOUR)
    new = activated(service, old.handset)

    new.send()

    assert stored_key(old).state == KeyState.RETIRED
    assert stored_key(old).key_sealed is None
    assert {stored_key(one).state for one in (new, elsewhere, contacts)} == {KeyState.ACTIVE}
    assert old.notice().state == "retired"
    assert acts(service)[-1] == Act.KEY_RETIRED


def test_the_older_key_does_not_replace_the_newer(service: Service) -> None:
    old = activated(service)
    service.clock.advance(HOUR)
    new = activated(service, old.handset)

    old.send()

    assert stored_key(new).state == KeyState.ACTIVE


def test_a_clock_set_back_leaves_no_key_behind(service: Service) -> None:
    service.clock.advance(DAY)
    old = activated(service)
    old.send()
    service.clock.advance(-HOUR)
    new = activated(service, old.handset)

    new.send()

    assert stored_key(old).state == KeyState.RETIRED


def test_a_revoked_key_is_told_so_by_a_signed_notice(service: Service) -> None:
    line = activated(service)
    line.send()
    revoke_key(
        service.database,
        person_id=service.ann.person_id,
        key_id=line.key.key_id,
        now=service.clock.now(),
    )

    assert line.notice().state == "revoked"


def test_packets_and_revocations_at_once_end_without_keys(service: Service) -> None:
    lines = [activated(service, service.handset(f"Device {n}")) for n in range(4)]
    owner, now = service.ann.person_id, service.clock.now()
    devices = [stored_key(line).device_id for line in lines]

    def revoke(device_id: str) -> bytes:
        done = revoke_device(service.database, person_id=owner, device_id=device_id, now=now)
        return bytes(done)

    outcomes = together(
        *(
            lambda line=line: service.packets.packet(line.report(rotate=True)).body
            for line in lines
        ),
        *(lambda device=device: revoke(device) for device in devices),
    )

    assert len(outcomes) == 8
    assert {stored_key(line).state for line in lines} == {KeyState.REVOKED}
    with service.database.read() as session:
        assert "open" not in session.scalars(select(Activation.state)).all()


def test_the_keys_of_a_revoked_device_stay_over_when_it_is_restored(service: Service) -> None:
    line = activated(service)
    device_id, now = stored_key(line).device_id, service.clock.now()
    owner = service.ann.person_id
    revoke_device(service.database, person_id=owner, device_id=device_id, now=now)
    assert line.notice().state == "revoked"

    restore_device(service.database, person_id=owner, device_id=device_id, now=now)

    assert line.notice().state == "revoked"


def test_a_device_can_end_its_key(service: Service) -> None:
    line, other = activated(service), activated(service, service.handset("Ann's phone"))

    line.end()

    ended = stored_key(line)
    assert (ended.state, ended.ended_reason) == (KeyState.REVOKED, "by-device")
    assert ended.key_sealed is None
    assert line.notice().state == "revoked"
    assert stored_key(other).state == KeyState.ACTIVE
    assert acts(service)[-1] == Act.KEY_REVOKED


def test_a_key_that_went_with_its_account_is_told_so(service: Service) -> None:
    line = activated(service)
    line.send()
    with service.database.write() as session:
        account = session.get_one(MailAccount, service.ann.account_id)
        now = service.clock.now()
        remove_account(session, account, actor="system", reason="test", now=now)

    assert line.notice().state == "revoked"
