"""Mail goes out once, is tried again, is given up, and is never lost."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import DAY, HOUR, MINUTE
from app.models import AuditEntry, MailAccount, MailState, OutgoingMail, Person
from app.outbox import letters, sending
from app.outbox.kinds import MailKind
from app.outbox.sending import CLAIM, send_some
from app.outbox.services import queue, state
from tests.app.outbox.office import ISSUER, MailRoom, settings
from tests.app.service_fixtures import Service
from tests.peers.ca import CertificateAuthority
from tests.peers.smtp_server import SubmissionServer, submission_server


def test_a_mail_goes_out_and_is_written_down(room: MailRoom, server: SubmissionServer) -> None:
    mail_id = room.queue(room.service.ann, device="Ann's laptop", account="ann@example.org")

    assert send_some(room.office) is False

    [taken] = server.taken
    assert taken.recipient == "ann@example.org"
    assert taken.message["To"] == "ann@example.org"
    assert taken.message["From"] == "Handfast at Example <handfast@example.org>"
    assert taken.message["Subject"] == "A new device holds keys of yours"
    assert taken.message["Message-ID"] == f"<{mail_id}.handfast@example.org>"
    assert taken.message["Auto-Submitted"] == "auto-generated"
    assert taken.message["Date"] is not None
    assert "“Ann's laptop” was activated" in taken.message.get_content()
    assert ISSUER in taken.message.get_content()
    assert taken.sender.startswith("bounces+")
    mail = room.mail(mail_id)
    assert (mail.state, mail.attempts, mail.failure) == ("sent", 1, None)
    assert mail.ended_at == room.service.clock.now()


def test_a_batch_goes_over_one_connection(sqlite_room: MailRoom, server: SubmissionServer) -> None:
    for _ in range(5):
        sqlite_room.queue(sqlite_room.service.ann)

    send_some(sqlite_room.office)

    assert len(server.taken) == 5
    assert server.connections == 1


def test_more_than_a_batch_says_that_more_waits(sqlite_room: MailRoom) -> None:
    for _ in range(sending.BATCH + 1):
        sqlite_room.queue(sqlite_room.service.ann)

    assert send_some(sqlite_room.office) is True
    assert send_some(sqlite_room.office) is False


def test_without_a_server_mail_waits_and_staff_are_told(sqlite_service: Service) -> None:
    room = MailRoom(sqlite_service, {})
    mail_id = room.queue(sqlite_service.ann)

    assert send_some(room.office) is False

    assert room.mail(mail_id).state == "waiting"
    sqlite_service.clock.advance(11 * MINUTE)
    with sqlite_service.database.read() as session:
        told = state(session, now=sqlite_service.clock.now())
    assert told.waiting == 1
    assert told.standing_since == sqlite_service.clock.now() - 11 * MINUTE


def test_names_in_every_script_arrive_as_they_are(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    sqlite_room.queue(sqlite_room.service.ann, name="רות", device="téléphone d’Åsa")

    send_some(sqlite_room.office)

    content = server.taken[0].message.get_content()
    assert "\u2068רות\u2069" in content
    assert "“téléphone d’Åsa” was activated" in content
    # Whatever the next server can do: it is seven bits on the way.
    assert server.taken[0].raw.isascii()


def test_an_address_in_another_script_is_used_as_it_is(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann, address="jürgen@xn--mller-kva.example")
    send_some(sqlite_room.office)
    assert sqlite_room.mail(mail_id).state == "sent"
    [taken] = server.taken
    assert taken.recipient == "jürgen@xn--mller-kva.example"
    assert "To: jürgen@xn--mller-kva.example".encode() in taken.raw


def test_a_server_that_cannot_write_to_such_an_address_is_told_of(
    sqlite_service: Service, mail_ca: CertificateAuthority, ca_file: Path
) -> None:
    with submission_server(mail_ca.issue("localhost"), any_script=False) as server:
        room = MailRoom(sqlite_service, settings(server.port, ca_file))
        mail_id = room.queue(sqlite_service.ann, address="jürgen@example.org")
        other = room.queue(sqlite_service.bob)
        send_some(room.office)
    assert room.mail(mail_id).state == "failed"
    assert "such letters" in (room.mail(mail_id).failure or "")
    assert room.mail(other).state == "sent"


def test_no_fact_adds_a_header_or_a_recipient(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    sqlite_room.queue(
        sqlite_room.service.ann,
        MailKind.ADDRESS_TAKEN,
        account="x\r\nBcc: eve@example.org\r\n\r\nhello",
    )

    send_some(sqlite_room.office)

    [taken] = server.taken
    assert taken.message["Bcc"] is None
    assert taken.recipient == "ann@example.org"


def test_an_address_with_a_line_break_goes_nowhere(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(
        sqlite_room.service.ann, address="ann@example.org>\r\nRCPT TO:<eve@example.org"
    )

    send_some(sqlite_room.office)

    assert server.taken == []
    assert sqlite_room.mail(mail_id).state == "waiting"


def test_a_mail_is_written_in_the_language_of_the_person(
    sqlite_room: MailRoom, server: SubmissionServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    write = letters.write

    def listening(kind: MailKind, facts: dict[str, str | int], **named: Any) -> letters.Letter:
        asked.append(named["language"])
        return write(kind, facts, **named)

    monkeypatch.setattr(letters, "write", listening)
    here = sqlite_room.service
    with here.database.write() as session:
        session.get_one(Person, here.ann.person_id).language = "de"
    sqlite_room.queue(here.ann)
    send_some(sqlite_room.office)
    assert asked == ["de"]


def test_not_now_is_tried_again_at_longer_and_longer_intervals(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    server.to_recipient["ann@example.org"] = "450 4.2.0 come back later"
    waits = []
    for _ in range(4):
        now = sqlite_room.service.clock.now()
        send_some(sqlite_room.office)
        mail = sqlite_room.mail(mail_id)
        waits.append((mail.next_at - now) // MINUTE)
        sqlite_room.service.clock.advance(mail.next_at - now)
    assert waits == [1, 2, 4, 8]
    assert sqlite_room.mail(mail_id).failure == "450 4.2.0 come back later"

    del server.to_recipient["ann@example.org"]
    send_some(sqlite_room.office)

    assert sqlite_room.mail(mail_id).state == "sent"
    assert sqlite_room.mail(mail_id).failure is None


def test_after_two_days_it_is_given_up(sqlite_room: MailRoom, server: SubmissionServer) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    server.to_recipient["ann@example.org"] = "450 4.2.0 come back later"
    send_some(sqlite_room.office)
    sqlite_room.service.clock.advance(2 * DAY + HOUR)
    send_some(sqlite_room.office)

    mail = sqlite_room.mail(mail_id)
    assert mail.state == "failed"
    assert mail.failure == "given up: 450 4.2.0 come back later"
    # Nothing says that the address is wrong.
    assert account_of(sqlite_room, "account-ann").bounced_at is None


def test_a_refused_address_is_marked_and_audited(room: MailRoom, server: SubmissionServer) -> None:
    mail_id = room.queue(room.service.ann)
    server.to_recipient["ann@example.org"] = "550 5.1.1 no such\x07 mailbox"

    send_some(room.office)

    mail = room.mail(mail_id)
    assert (mail.state, mail.failure) == ("failed", "550 5.1.1 no such mailbox")
    assert account_of(room, "account-ann").bounced_at == room.service.clock.now()
    assert account_of(room, "account-bob").bounced_at is None
    with room.service.database.read() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.act == "mail-bounced")).one()
    assert (entry.subject_id, entry.target) == (room.service.ann.person_id, mail_id)


def test_a_refused_mail_says_nothing_about_the_address(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    other = sqlite_room.queue(sqlite_room.service.bob)
    server.to_mail["ann@example.org"] = "554 5.7.1 looks like spam"

    send_some(sqlite_room.office)

    assert sqlite_room.mail(mail_id).failure == "554 5.7.1 looks like spam"
    assert account_of(sqlite_room, "account-ann").bounced_at is None
    assert sqlite_room.mail(other).state == "sent"


def test_when_the_answer_is_lost_it_is_sent_again_under_the_same_name(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    server.silent.add("ann@example.org")
    send_some(sqlite_room.office)
    assert sqlite_room.mail(mail_id).state == "waiting"
    server.silent.clear()
    sqlite_room.service.clock.advance(MINUTE)
    send_some(sqlite_room.office)

    first, second = server.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]
    assert first.sender == second.sender
    assert sqlite_room.mail(mail_id).state == "sent"


def test_a_worker_that_died_leaves_its_mail_to_the_next(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    # It claimed the mail and got no further.
    assert sending._claim(sqlite_room.office) is not None

    send_some(sqlite_room.office)
    assert server.taken == []
    sqlite_room.service.clock.advance(CLAIM)
    send_some(sqlite_room.office)

    assert len(server.taken) == 1
    assert sqlite_room.mail(mail_id).attempts == 2


def test_who_comes_back_after_its_claim_ran_out_changes_nothing(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    office = sqlite_room.office
    late = sending._claim(office)
    assert late is not None
    sqlite_room.service.clock.advance(CLAIM)
    assert sending._claim(office) is not None

    sending._settle(office, late, MailState.FAILED, "too late", is_address=True)

    assert sqlite_room.mail(mail_id).state == "waiting"
    assert account_of(sqlite_room, "account-ann").bounced_at is None


def test_two_workers_send_each_mail_once(room: MailRoom, server: SubmissionServer) -> None:
    ids = {room.queue(room.service.ann) for _ in range(12)}
    offices = [room.office, room.office]
    threads = [threading.Thread(target=send_some, args=(office,)) for office in offices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    names = [taken.message["Message-ID"] for taken in server.taken]
    assert len(names) == len(set(names)) == 12
    assert {room.mail(mail_id).state for mail_id in ids} == {"sent"}


@pytest.mark.parametrize("is_known", [True, False])
def test_a_certificate_of_another_name_or_authority_gets_nothing(
    sqlite_service: Service, mail_ca: CertificateAuthority, ca_file: Path, is_known: bool
) -> None:
    name = "smtp.example.net" if is_known else "localhost"
    with submission_server(mail_ca.issue(name)) as server:
        environment = settings(server.port, ca_file)
        room = MailRoom(
            sqlite_service, environment if is_known else {**environment, "HANDFAST_MAIL_CA": ""}
        )
        mail_id = room.queue(sqlite_service.ann)
        send_some(room.office)
        assert server.connections == 0
    # It was nobody's try: it goes out as soon as the server is mended.
    assert (room.mail(mail_id).state, room.mail(mail_id).attempts) == ("waiting", 0)


def test_a_wrong_password_is_logged_without_the_password(
    sqlite_room: MailRoom, caplog: pytest.LogCaptureFixture
) -> None:
    sqlite_room.environment = {**sqlite_room.environment, "HANDFAST_SMTP_PASSWORD": "not it"}
    mail_id = sqlite_room.queue(sqlite_room.service.ann)
    logger = logging.getLogger(sending.__name__)
    # Ours keep what they say from the root logger, once a portal was built.
    logger.addHandler(caplog.handler)
    try:
        send_some(sqlite_room.office)
    finally:
        logger.removeHandler(caplog.handler)
    assert sqlite_room.mail(mail_id).state == "waiting"
    assert "535" in str([vars(record) for record in caplog.records])
    assert "not it" not in str([vars(record) for record in caplog.records])


def test_starttls_is_used_or_nothing_is_sent(
    sqlite_service: Service, mail_ca: CertificateAuthority, ca_file: Path
) -> None:
    with submission_server(mail_ca.issue("localhost"), starttls=True) as server:
        room = MailRoom(sqlite_service, settings(server.port, ca_file, security="starttls"))
        mail_id = room.queue(sqlite_service.ann)
        send_some(room.office)
        assert len(server.taken) == 1
    assert room.mail(mail_id).state == "sent"


def test_the_state_of_mail_counts_the_last_days(
    sqlite_room: MailRoom, server: SubmissionServer
) -> None:
    clock = sqlite_room.service.clock
    server.to_recipient["bob@example.org"] = "550 5.1.1 unknown"
    sqlite_room.queue(sqlite_room.service.ann)
    sqlite_room.queue(sqlite_room.service.bob)
    send_some(sqlite_room.office)
    with sqlite_room.service.database.read() as session:
        told = state(session, now=clock.now())
        later = state(session, now=clock.now() + 8 * DAY)
    assert (told.waiting, told.failed, told.sent_at) == (0, 1, clock.now())
    assert told.standing_since is None
    assert (later.failed, later.sent_at) == (0, None)


def account_of(room: MailRoom, account_id: str) -> MailAccount:
    """Return an account as it is in the database."""
    with room.service.database.read() as session:
        return session.get_one(MailAccount, account_id)


def test_the_last_mail_to_somebody_leaves_no_trace(
    room: MailRoom, server: SubmissionServer
) -> None:
    service = room.service
    with service.database.write() as session:
        queue(
            session,
            person_id=None,
            address="ann@example.org",
            kind=MailKind.DATA_DELETED,
            facts={},
            now=service.clock.now(),
            entropy=service.entropy,
        )

    send_some(room.office)

    assert len(server.taken) == 1
    with service.database.read() as session:
        assert session.scalars(select(OutgoingMail)).all() == []
