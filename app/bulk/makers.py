"""Who acts when a list goes on after its request: whoever made it, with what they may do now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.models import Reach, Staff, StaffState
from app.rights import Permission, permissions_of
from app.staff.reach import Actor
from app.tokens import services as tokens


class MakerGoneError(Exception):
    """Whoever made the list may no longer take it."""


def maker(session: Session, made_by: str, *, now: int) -> Actor:
    """Return the actor that the audit names so; raise MakerGoneError."""
    kind, _, maker_id = made_by.partition(":")
    actor = _token(session, maker_id, now) if kind == "token" else _staff(session, maker_id)
    if actor is None or not actor.may(Permission.PEOPLE_IMPORT):
        raise MakerGoneError
    return actor


def _token(session: Session, token_id: str, now: int) -> Actor | None:
    holder = tokens.holder_of(session, token_id, now=now)
    return None if holder is None else holder.as_actor()


def _staff(session: Session, staff_id: str) -> Actor | None:
    staff = session.get(Staff, staff_id)
    if staff is None or staff.state != StaffState.ACTIVE:
        return None
    permissions, reach = permissions_of(staff.role), Reach(staff.reach)
    return Actor(f"staff:{staff.id}", permissions, reach, staff.id, staff.role)
