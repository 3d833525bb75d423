"""Queue a mail in the transaction of the act that it tells of. No framework here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.orm import Session

from app.models import MailState, OutgoingMail, new_id
from app.outbox.kinds import MailKind

_FACTS: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


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
        id=new_id(entropy),
        person_id=person_id,
        address=address,
        kind=kind.value,
        language=language,
        facts=_FACTS.encode(dict(facts)),
        state=MailState.WAITING,
        created_at=now,
        next_at=now,
    )
    session.add(mail)
    return mail.id
