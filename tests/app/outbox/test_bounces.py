"""What counts as a mail that came back: a report of a permanent failure, to the address we gave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.keystore.key_sets import rotate
from app.keystore.provider import KeyKind
from app.mailservers.address import MailAddress
from app.models import AuditEntry, MailAccount
from app.outbox.bounces import MOST_IDS, MOST_PARTS, find_bounce, note_bounce
from app.outbox.envelope import mail_ids_in, return_address
from app.outbox.sending import send_some
from tests.app.outbox.office import MailRoom
from tests.app.service_fixtures import Entropy

BOUNCES = MailAddress("bounces", "example.org")
FAILED = "Final-Recipient: rfc822; ann@example.org\nAction: failed\nStatus: 5.1.1"


def report(
    to: str,
    *,
    header: str = "To",
    fields: str = FAILED,
    kind: str = "multipart/report; report-type=delivery-status",
    more: str = "",
) -> bytes:
    """A delivery report, as mail servers write them."""
    return f"""From: MAILER-DAEMON@mail.example.net
{header}: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: {kind}; boundary="b"

--b
Content-Type: text/plain

It could not be delivered.
{more}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.net

{fields}
Diagnostic-Code: smtp; 550 5.1.1 no\x07 such
    mailbox

--b--
""".replace("\n", "\r\n").encode()


def sent(room: MailRoom) -> tuple[str, str]:
    """Send a mail and return its id and its return address."""
    mail_id = room.queue(room.service.ann)
    send_some(room.office)
    place = room.config.submission
    assert place is not None
    mail = room.mail(mail_id)
    assert mail.state == "sent"
    return mail_id, return_address(place, mail_id, mail.created_at, room.office.keys)


def read(room: MailRoom, raw: bytes) -> bool:
    """Do what the worker does with a message; tells whether it marked something."""
    bounce = find_bounce(raw, BOUNCES)
    return bounce is not None and note_bounce(room.office, bounce)


def test_a_permanent_failure_is_marked_once(room: MailRoom) -> None:
    mail_id, address = sent(room)

    assert read(room, report(address))
    # The same report read twice, after a crash perhaps, does nothing more.
    assert not read(room, report(address))

    mail = room.mail(mail_id)
    assert (mail.state, mail.failure) == ("bounced", "5.1.1 smtp; 550 5.1.1 no such mailbox")
    with room.service.database.read() as session:
        assert session.get_one(MailAccount, "account-ann").bounced_at == mail.ended_at
        acts = [entry.act for entry in session.query(AuditEntry).all()]
    assert acts == ["mail-bounced"]


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To", "to"])
def test_the_return_address_may_stand_in_any_of_their_headers(
    sqlite_room: MailRoom, header: str
) -> None:
    _, address = sent(sqlite_room)
    assert read(sqlite_room, report(address, header=header))


def test_the_address_may_have_been_written_in_capitals(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    assert read(sqlite_room, report(f"<{address.upper()}>"))


def test_it_is_still_known_after_the_key_was_rotated(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    here = sqlite_room.service
    here.clock.advance(1)
    rotate(here.provider, KeyKind.SEALING_STAFF, now=here.clock.now(), entropy=Entropy("new"))
    assert read(sqlite_room, report(address))


@pytest.mark.parametrize(
    "fields",
    [
        FAILED.replace("failed", "delayed"),
        FAILED.replace("failed", "delivered"),
        FAILED.replace("5.1.1", "4.2.2"),
        FAILED.replace("5.1.1", "no"),
        "X-Nothing: at all",
    ],
)
def test_what_did_not_fail_for_good_is_no_bounce(sqlite_room: MailRoom, fields: str) -> None:
    mail_id, address = sent(sqlite_room)
    assert not read(sqlite_room, report(address, fields=fields))
    assert sqlite_room.mail(mail_id).state == "sent"


def test_an_absence_note_is_no_bounce(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    assert not read(sqlite_room, report(address, kind="multipart/mixed"))


def test_nobody_makes_up_a_bounce_of_somebody_elses_mail(sqlite_room: MailRoom) -> None:
    mine, own_address = sent(sqlite_room)
    other = sqlite_room.queue(sqlite_room.service.bob)
    send_some(sqlite_room.office)
    place = sqlite_room.config.submission
    assert place is not None
    right = return_address(
        place, other, sqlite_room.mail(other).created_at, sqlite_room.office.keys
    )
    # With the tag of one's own mail, with none, or with another one.
    id_of_other, own_tag = right.split("+")[1][:26], own_address.split("+")[1][26:42]
    for tag in (own_tag, "a" * 16, ""):
        assert not read(sqlite_room, report(f"bounces+{id_of_other}{tag}@example.org"))
    assert sqlite_room.mail(other).state == "sent"
    assert sqlite_room.mail(mine).state == "sent"
    assert read(sqlite_room, report(right))


def test_a_report_in_the_body_counts_for_nothing(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    assert not read(sqlite_room, report("bounces@example.org", more=f"To: {address}"))


def test_a_message_of_countless_parts_is_given_up(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    parts = "\n--b\nContent-Type: text/plain\n\nx\n" * (MOST_PARTS + 1)
    assert not read(sqlite_room, report(address, more=parts))


def test_a_report_about_countless_mails_costs_a_few_looks_only() -> None:
    names = ", ".join(f"bounces+{'a' * 25}{letter}{'a' * 16}@example.org" for letter in "abcdefgh")
    found = find_bounce(report(names), BOUNCES)
    assert found is not None
    assert len(found.untrusted_ids) == MOST_IDS


def test_a_message_of_boxes_in_boxes_is_given_up(sqlite_room: MailRoom) -> None:
    _, address = sent(sqlite_room)
    boxes = "".join(
        f"\n--b{n}\nContent-Type: multipart/mixed; boundary=b{n + 1}\n" for n in range(1200)
    )
    head = f"To: {address}\nContent-Type: multipart/report; boundary=b0\n"
    assert not read(sqlite_room, (head + boxes).replace("\n", "\r\n").encode())


@given(raw=st.binary(max_size=500), header=st.text(max_size=200))
def test_no_message_makes_the_reader_fail(raw: bytes, header: str) -> None:
    assert find_bounce(raw, BOUNCES) is None
    begin = report("bounces@example.org").partition(b"\r\n--b\r\n")[0]
    assert find_bounce(begin + raw, BOUNCES) is None
    mail_ids_in(header, BOUNCES)
