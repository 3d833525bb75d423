"""Mail that came back: delivery reports (RFC 3464) from the bounce mailbox.

A report cannot be authenticated, so it does nothing beyond a mark; and only one that came to an
address which we gave out with that very mail does even that. What is read is flagged as seen and
stays where it is.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Final, cast

from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError
from sqlalchemy import select, update

from app.mailservers.address import MailAddress, single_line
from app.models import MailState, OutgoingMail
from app.outbox.envelope import is_ours, mail_ids_in
from app.outbox.places import BounceMailbox
from app.outbox.returned import note_undeliverable
from app.outbox.sending import Office
from app.outbox.submission import ANSWER_SECONDS, CONNECTION_SECONDS, cut_after, verifying

BATCH: Final = 20
# A report with the mail it is about has a few thousand; what is longer is cut there.
MOST_OCTETS: Final = 65_536
MOST_PARTS: Final = 20
# A report is about one mail; each id that is named costs a look into the database.
MOST_IDS: Final = 4
MOST_WORDS: Final = 190
# Where mail servers write which address a mail was really for.
_RECIPIENT_HEADERS: Final = ("To", "Delivered-To", "X-Original-To", "Envelope-To")
_STATUS: Final = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bounce:
    """A delivery report of a permanent failure, believed by nobody yet."""

    untrusted_ids: tuple[tuple[str, bytes], ...] = field(repr=False)
    words: str


def read_bounces(office: Office) -> bool:
    """Read up to a batch of what is new in the mailbox, and tell whether there is more."""
    place, submission = office.config.bounce_mailbox, office.config.submission
    if place is None or submission is None or submission.bounces is None:
        return False
    try:
        return _read(office, place, submission.bounces)
    except (IMAPClientError, OSError) as error:
        _LOG.warning("returned mail is not read", extra={"facts": {"why": type(error).__name__}})
        return False


def find_bounce(raw: bytes, bounces: MailAddress) -> Bounce | None:
    """Return what a message reports, or None where it is no report of a permanent failure."""
    try:
        return _found(raw, bounces)
    # Hostile mail makes Python's parser fail in many ways, RecursionError among them; it would
    # stop us at the same message for ever.
    except Exception as error:
        _LOG.warning(
            "a returned mail is passed over", extra={"facts": {"why": type(error).__name__}}
        )
        return None


def note_bounce(office: Office, bounce: Bounce) -> bool:
    """Mark the mail that came back; False where no such mail is known to have gone out."""
    now = office.clock.now()
    for mail_id, tag in bounce.untrusted_ids:
        with office.database.write() as session:
            mail = session.scalar(
                select(OutgoingMail).where(
                    OutgoingMail.id == mail_id, OutgoingMail.state == MailState.SENT
                )
            )
            if mail is None or not is_ours(mail.id, mail.created_at, tag, office.keys):
                continue
            marked = session.scalar(
                update(OutgoingMail)
                .where(OutgoingMail.id == mail.id, OutgoingMail.state == MailState.SENT)
                .values(state=MailState.BOUNCED, ended_at=now, failure=bounce.words)
                .returning(OutgoingMail.id)
            )
            if marked is not None:
                note_undeliverable(
                    session, mail.id, mail.person_id, mail.address, bounce.words, now=now
                )
                return True
    return False


def _found(raw: bytes, bounces: MailAddress) -> Bounce | None:
    message = message_from_bytes(raw, policy=default)
    addressed = " ".join(
        str(value) for name in _RECIPIENT_HEADERS for value in message.get_all(name, [])
    )
    ids = tuple(mail_ids_in(addressed, bounces))[:MOST_IDS]
    if not ids or message.get_content_type() != "multipart/report":
        return None
    fields = _failed_fields(message)
    return None if fields is None else Bounce(ids, _words(fields))


def _read(office: Office, place: BounceMailbox, bounces: MailAddress) -> bool:
    client = IMAPClient(
        place.host, place.port, ssl_context=verifying(place.ca), timeout=ANSWER_SECONDS
    )
    with cut_after(CONNECTION_SECONDS, client.socket()), client:
        client.plain_login(single_line(place.username), single_line(place.password))
        client.select_folder("INBOX")
        new = client.search(["UNSEEN"])
        for uid in new[:BATCH]:
            bounce = find_bounce(_begin_of(client, uid), bounces)
            if bounce is not None:
                note_bounce(office, bounce)
            # Last, so that nothing is passed over when we end in between.
            client.add_flags([uid], [SEEN])
    return len(new) > BATCH


def _begin_of(client: IMAPClient, uid: int) -> bytes:
    answer = client.fetch([uid], [f"BODY.PEEK[]<0.{MOST_OCTETS}>"])
    fields = answer.get(uid, {}).items()
    return next((bytes(value) for name, value in fields if name.startswith(b"BODY[]")), b"")


def _failed_fields(report: EmailMessage | Message) -> Message | None:
    """Return the fields of the first recipient for whom delivery failed for good."""
    for number, part in enumerate(report.walk()):
        if number > MOST_PARTS:
            return None
        if part.get_content_type() != "message/delivery-status":
            continue
        # The parser makes a message of every block of fields; the first is about the report.
        blocks = part.get_payload()
        for block in cast("list[Message]", blocks) if isinstance(blocks, list) else []:
            status = _STATUS.match(str(block.get("Status", "")))
            has_failed = str(block.get("Action", "")).strip().lower() == "failed"
            if has_failed and status is not None and status[1].startswith("5"):
                return block
    return None


def _words(fields: Message) -> str:
    said = f"{fields.get('Status', '')} {fields.get('Diagnostic-Code', '')}"
    plain = "".join(each if each.isprintable() else " " for each in said)
    return " ".join(plain.split())[:MOST_WORDS]
