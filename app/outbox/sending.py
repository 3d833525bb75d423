"""The worker's mail job: takes what is due, one mail at a time, and writes down what became of it.

A mail is claimed by counting the attempt, before anything is sent. A process that dies between the
server's "accepted" and our commit leaves its mail to be sent again when the claim runs out: it may
come twice, with the same Message-ID, and is never lost.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Final

from jinja2 import TemplateError
from sqlalchemy import Select, Update, delete, literal_column, select, update
from sqlalchemy.orm import Session

from app.accounts import challenges
from app.clock import DAY, HOUR, MINUTE, Clock
from app.config import WorkerConfig
from app.crashpoints import crashpoint
from app.database import Database
from app.keystore.sealing import Sealer
from app.mailservers.address import AddressError, parse
from app.models import MailState, OutgoingMail, Person
from app.outbox import letters
from app.outbox.envelope import compose, return_address
from app.outbox.kinds import MailKind
from app.outbox.places import Submission
from app.outbox.returned import note_undeliverable
from app.outbox.submission import MOST_WORDS, LaterError, NeverError, Submitter, connected

BATCH: Final = 20
# Longer than a connection may last, so that no claim runs out while its mail is under way.
CLAIM: Final = 10 * MINUTE
GIVE_UP: Final = 2 * DAY
FIRST_WAIT: Final = 1 * MINUTE
LONGEST_WAIT: Final = 2 * HOUR
# Written out, so that both databases see that the partial index has all of these.
IS_WAITING: Final = OutgoingMail.state == literal_column(f"'{MailState.WAITING}'")
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Office:
    """What sending needs."""

    database: Database
    config: WorkerConfig
    keys: Sealer
    clock: Clock
    entropy: Callable[[int], bytes]


@dataclass(frozen=True)
class Claimed:
    """A mail that is ours to send; ``attempts`` tells whether it still is."""

    id: str
    attempts: int
    person_id: str | None
    address: str
    kind: str
    facts: dict[str, str | int]
    language: str | None
    created_at: int
    # What the mail alone carries; in no column, and in no repr.
    secret: dict[str, str | int] = field(repr=False)


def send_some(office: Office) -> bool:
    """Send up to a batch over one connection, and tell whether more is due."""
    place = office.config.submission
    if place is None or not _is_due(office):
        return False
    try:
        with connected(place) as submitter:
            for _ in range(BATCH):
                claimed = _claim(office)
                if claimed is None:
                    return False
                if not _send(office, place, submitter, claimed):
                    break
    except LaterError as error:
        _LOG.warning("no mail goes out", extra={"facts": {"why": str(error)}})
        return False
    return _is_due(office)


def _is_due(office: Office) -> bool:
    with office.database.read() as session:
        return session.scalar(_due(office.clock.now())) is not None


def _due(now: int) -> Select[str]:
    return (
        select(OutgoingMail.id)
        .where(IS_WAITING, OutgoingMail.next_at <= now)
        .order_by(OutgoingMail.next_at, OutgoingMail.id)
        .limit(1)
    )


def _claim(office: Office) -> Claimed | None:
    """Take the mail that is longest due, or None where nothing is."""
    while True:
        now = office.clock.now()
        with office.database.write() as session:
            mail_id = session.scalar(_due(now).with_for_update(skip_locked=True))
            if mail_id is None:
                return None
            mail = session.get_one(OutgoingMail, mail_id)
            secret = _secret(session, mail, office, now)
            if secret is None:
                _end(mail, MailState.FAILED, now, "it was no longer needed")
                continue
            mail.attempts += 1
            mail.next_at = now + CLAIM
            person = None if mail.person_id is None else session.get(Person, mail.person_id)
            return Claimed(
                id=mail.id,
                attempts=mail.attempts,
                person_id=mail.person_id,
                address=mail.address,
                kind=mail.kind,
                facts=json.loads(mail.facts),
                language=mail.language or (None if person is None else person.language),
                created_at=mail.created_at,
                secret=secret,
            )


def _secret(
    session: Session, mail: OutgoingMail, office: Office, now: int
) -> dict[str, str | int] | None:
    """Make what this mail alone may carry; None where nobody waits for it any more."""
    if mail.kind != MailKind.ADDRESS_CHALLENGE:
        return {}
    challenge_id = str(json.loads(mail.facts).get("challenge", ""))
    code = challenges.give_code(
        session, challenge_id, keys=office.keys, now=now, entropy=office.entropy
    )
    if code is None:
        return None
    return {"code": code, "minutes": challenges.LIFETIME // MINUTE}


def _send(office: Office, place: Submission, submitter: Submitter, claimed: Claimed) -> bool:
    """Send one mail and write down how it went; False once the connection is of no more use."""
    try:
        crashpoint("mail.claimed")
        message, to = _written(office, place, claimed)
        sender = return_address(place, claimed.id, claimed.created_at, office.keys)
        submitter.send(message, sender=sender, recipient=to)
        crashpoint("mail.taken")
    except NeverError as error:
        _settle(office, claimed, MailState.FAILED, str(error), is_address=error.is_address)
    except LaterError as error:
        _put_off(office, claimed, str(error))
        return error.is_connected
    except (AddressError, TemplateError, ValueError) as error:
        # A fault of ours; a newer version may know better before we give up.
        _LOG.warning("a mail could not be written", extra={"facts": {"kind": claimed.kind}})
        _put_off(office, claimed, f"it could not be written: {type(error).__name__}")
    else:
        _settle(office, claimed, MailState.SENT)
        crashpoint("mail.settled")
    return True


def _written(office: Office, place: Submission, claimed: Claimed) -> tuple[EmailMessage, str]:
    letter = letters.write(
        MailKind(claimed.kind),
        {**claimed.facts, **claimed.secret},
        language=claimed.language,
        service=office.config.service_name,
        portal=office.config.issuer,
    )
    to = parse(claimed.address)
    return compose(letter, claimed.id, to, place, office.clock.now()), to.text


def _put_off(office: Office, claimed: Claimed, words: str) -> None:
    now = office.clock.now()
    if now - claimed.created_at > GIVE_UP:
        _settle(office, claimed, MailState.FAILED, f"given up: {words}")
        return
    wait = min(FIRST_WAIT << min(claimed.attempts - 1, 10), LONGEST_WAIT)
    with office.database.write() as session:
        session.execute(_ours(claimed).values(next_at=now + wait, failure=words[:MOST_WORDS]))


def _settle(
    office: Office,
    claimed: Claimed,
    state: MailState,
    words: str | None = None,
    *,
    is_address: bool = False,
) -> None:
    now = office.clock.now()
    with office.database.write() as session:
        failure = None if words is None else words[:MOST_WORDS]
        done = session.execute(
            _ours(claimed)
            .values(state=state, ended_at=now, failure=failure)
            .returning(OutgoingMail.id)
        ).first()
        if done is not None and claimed.kind == MailKind.DATA_DELETED:
            # Nothing is kept about whom it was for, and it was the last of it.
            session.execute(delete(OutgoingMail).where(OutgoingMail.id == claimed.id))
            return
        # No row: the claim ran out, and another worker has it now.
        if done is not None and is_address:
            note_undeliverable(
                session, claimed.id, claimed.person_id, claimed.address, words or "", now=now
            )


def _ours(claimed: Claimed) -> Update:
    return update(OutgoingMail).where(
        OutgoingMail.id == claimed.id,
        OutgoingMail.state == MailState.WAITING,
        OutgoingMail.attempts == claimed.attempts,
    )


def _end(mail: OutgoingMail, state: MailState, now: int, words: str) -> None:
    mail.state, mail.ended_at, mail.failure = state, now, words
