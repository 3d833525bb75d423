"""Shut somebody out: no sign-in, no session, no key, no way to one. Needs PEOPLE_DISABLE."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.activation.ending import kill_told
from app.activation.revocation import end_keys
from app.audit import Act
from app.models import Activation, ActivationState, Person
from app.models.tables import SERVICE_KEY
from app.outbox.kinds import MailKind
from app.provisioning.acts import GoneError, begin
from app.staff.reach import Actor


def disable(
    session: Session,
    actor: Actor,
    person_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Shut a person out and end all they have here; their history and accounts stay.

    Raises GoneError where it is so already, ReasonError, OutOfReachError, ColleagueError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    # First of all, so that a sign-in or a document comes before it and ends, or finds it.
    if not _turn(session, person_id, now):
        raise GoneError
    by, why = deed.by.actor, deed.by.detail
    sessions.end_all(session, person_id, now=now, actor=by, detail=why)
    open_ones = session.scalars(
        select(Activation.id).where(
            Activation.person_id == person_id, Activation.state == ActivationState.OPEN
        )
    ).all()
    # Before the keys: a confirm that was faster has made some by then.
    kill_told(session.connection(), open_ones, deed.by, reason="disabled")
    end_keys(session.connection(), SERVICE_KEY.c.person_id == person_id, person_id, deed.by)
    deed.note(Act.PERSON_DISABLED, person_id)
    deed.tell(MailKind.DISABLED)


def enable(
    session: Session,
    actor: Actor,
    person_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Let a person sign in again; their revoked keys stay revoked. Raises as ``disable``."""
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    if not _turn(session, person_id, None):
        raise GoneError
    deed.note(Act.PERSON_ENABLED, person_id)
    deed.tell(MailKind.ENABLED)


def _turn(session: Session, person_id: str, disabled_at: int | None) -> bool:
    is_other = Person.disabled_at.is_(None)
    if disabled_at is None:
        is_other = Person.disabled_at.is_not(None)
    changed = session.execute(
        update(Person)
        .where(Person.id == person_id, is_other)
        .values(disabled_at=disabled_at)
        .returning(Person.id)
        .execution_options(synchronize_session=False)
    ).first()
    return changed is not None
