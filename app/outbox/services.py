"""Queue a mail in the transaction of the act that it tells of; how mail goes. No framework here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.clock import DAY, MINUTE
from app.models import MailState, OutgoingMail, new_id
from app.outbox.kinds import MailKind

_FACTS: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# A mail that nobody even tried to send for so long: there is no worker, or no mail server.
STANDING: Final = 10 * MINUTE
COUNTED: Final = 7 * DAY


@dataclass(frozen=True)
class MailOut:
    """How mail to people is going, for staff and for readiness."""

    waiting: int
    # Since when mail does not go out at all; None: it does.
    standing_since: int | None
    # Of the last seven days.
    failed: int
    bounced: int
    # When the last one went out; None: none in the last seven days.
    sent_at: int | None


def state(session: Session, *, now: int) -> MailOut:
    """Tell how mail to people is going."""
    is_waiting = OutgoingMail.state == MailState.WAITING
    waiting = session.scalar(select(func.count()).select_from(OutgoingMail).where(is_waiting))
    standing = standing_since(session, now=now)
    ended: dict[str, tuple[int, int]] = {
        row.state: (row.number, row.last)
        for row in session.execute(
            select(
                OutgoingMail.state,
                func.count().label("number"),
                func.max(OutgoingMail.ended_at).label("last"),
            )
            .where(OutgoingMail.ended_at > now - COUNTED)
            .group_by(OutgoingMail.state)
        )
    }
    none = (0, None)
    return MailOut(
        waiting=waiting or 0,
        standing_since=standing,
        failed=ended.get(MailState.FAILED, none)[0],
        bounced=ended.get(MailState.BOUNCED, none)[0],
        sent_at=ended.get(MailState.SENT, none)[1],
    )


def standing_since(session: Session, *, now: int) -> int | None:
    """Tell since when mail does not go out at all: there is no worker, or no mail server."""
    oldest = session.scalar(
        select(func.min(OutgoingMail.created_at)).where(
            OutgoingMail.state == MailState.WAITING, OutgoingMail.attempts == 0
        )
    )
    return oldest if oldest is not None and oldest < now - STANDING else None


def queue(
    session: Session,
    *,
    person_id: str | None,
    address: str,
    kind: MailKind,
    facts: Mapping[str, str | int],
    now: int,
    entropy: Callable[[int], bytes],
    language: str | None = None,
) -> str:
    """Write a mail down for the worker to send, and return its id.

    ``facts`` are plain values for the text and never a secret. Without ``language`` it is written
    in the person's. ``person_id`` is None for mail to staff, and where the person is being deleted.
    """
    mail = OutgoingMail(
        **new_mail(
            person_id=person_id,
            address=address,
            kind=kind,
            facts=facts,
            now=now,
            entropy=entropy,
            language=language,
        )
    )
    session.add(mail)
    return mail.id


def new_mail(
    *,
    person_id: str | None,
    address: str,
    kind: MailKind,
    facts: Mapping[str, str | int],
    now: int,
    entropy: Callable[[int], bytes],
    language: str | None = None,
) -> dict[str, Any]:
    """Return the row of a waiting mail, for who writes it without a session."""
    return {
        "id": new_id(entropy),
        "person_id": person_id,
        "address": address,
        "kind": kind.value,
        "language": language,
        "facts": _FACTS.encode(dict(facts)),
        "state": MailState.WAITING.value,
        "attempts": 0,
        "created_at": now,
        "next_at": now,
    }
