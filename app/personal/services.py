"""A person's data, given out: to themselves, or to staff with a reason. No framework here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Act, record_own
from app.clock import MINUTE
from app.models import WebSession
from app.outbox.kinds import MailKind
from app.personal.exporting import export
from app.provisioning.acts import begin
from app.staff.reach import Actor

# Whoever finds an open browser does not get to delete everything.
RECENT: Final = 10 * MINUTE


def export_person(
    session: Session,
    actor: Actor,
    person_id: str,
    *,
    reason: str,
    service: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> bytes:
    """Return what is kept about a person for staff; the person is told.

    Raises ReasonError, OutOfReachError and ColleagueError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    deed.note(Act.DATA_EXPORTED, person_id)
    deed.tell(MailKind.DATA_EXPORTED)
    session.flush()
    return export(session, person_id, service=service, now=now)


def export_oneself(session: Session, person_id: str, *, service: str, now: int) -> bytes:
    """Return what is kept about the person who asks."""
    record_own(session, Act.DATA_EXPORTED, person_id, person_id, now)
    return export(session, person_id, service=service, now=now)


def is_recent(session: Session, session_id: str, *, now: int) -> bool:
    """Tell whether somebody signed in so lately that they need not do so again."""
    begun = session.scalar(select(WebSession.created_at).where(WebSession.id == session_id))
    return begun is not None and now - begun < RECENT
