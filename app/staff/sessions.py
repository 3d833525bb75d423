"""Sessions of staff: rows of their own, so that no visitor's session ever becomes one.

A new token comes with every step of the sign-in; who holds the one from before has nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.sessions import SEEN_STEP, Client, new_token, token_hash
from app.clock import HOUR, MINUTE
from app.database import changed
from app.models import Staff, StaffSession, StaffStage, StaffState, new_id
from app.session_notes import SessionNotes, spell_notes

LIFETIME: Final = 10 * HOUR
IDLE: Final = 30 * MINUTE
# How long a sign-in may take from the password to the second factor, and the choice of both.
SIGN_IN: Final = 15 * MINUTE
ENROL: Final = 30 * MINUTE
# For how long somebody who has just shown who they are may do what is sensitive.
FRESH: Final = 10 * MINUTE
NOTES: Final = SessionNotes(StaffSession)
LIFETIMES: Final = {
    StaffStage.PASSWORD: SIGN_IN,
    StaffStage.ENROL: ENROL,
    StaffStage.FULL: LIFETIME,
}


class EndedError(Exception):
    """The session has ended meanwhile."""


def find(
    database: Session, untrusted_token: str, *, now: int
) -> tuple[StaffSession, Staff | None] | None:
    """Return the living session of a token, and whose it is; a disabled member has none."""
    row = database.scalar(
        select(StaffSession).where(StaffSession.token_hash == token_hash(untrusted_token))
    )
    if row is None or row.ended_at is not None or now >= ends_at(row):
        return None
    staff = None if row.staff_id is None else database.get(Staff, row.staff_id)
    if staff is not None and staff.state == StaffState.DISABLED:
        return None
    return row, staff


def is_known(database: Session, untrusted_token: str) -> bool:
    """Tell whether a token has a row at all, living or not."""
    query = select(StaffSession.id).where(StaffSession.token_hash == token_hash(untrusted_token))
    return database.scalar(query) is not None


def of_staff(database: Session, staff_id: str, *, now: int) -> list[StaffSession]:
    """Return a member's living sessions in WebAdmin, the latest used first."""
    rows = database.scalars(
        select(StaffSession)
        .where(
            StaffSession.staff_id == staff_id,
            StaffSession.stage == StaffStage.FULL,
            StaffSession.ended_at.is_(None),
        )
        .order_by(StaffSession.seen_at.desc())
    )
    return [row for row in rows if now < ends_at(row)]


def ends_at(row: StaffSession) -> int:
    """Return when the session ends if nothing more is done with it."""
    return min(row.expires_at, row.seen_at + IDLE)


def is_final(row: StaffSession) -> bool:
    """Tell whether the session ends then in any case, however much it is used."""
    return ends_at(row) == row.expires_at


def start(
    database: Session,
    client: Client,
    *,
    staff_id: str | None,
    stage: StaffStage,
    now: int,
    entropy: Callable[[int], bytes],
    flow: Mapping[str, Any] | None = None,
    token: str | None = None,
) -> tuple[str, StaffSession]:
    """Add a session and return its token, which is known nowhere else, and its row.

    ``token`` is for a browser's that has none behind it yet: nobody is signed in with it.
    """
    token = token or new_token(entropy)
    is_full = stage == StaffStage.FULL
    row = StaffSession(
        id=new_id(entropy),
        token_hash=token_hash(token),
        staff_id=staff_id,
        stage=stage,
        flow=spell_notes(flow or {}),
        address=client.address[:64],
        user_agent=client.user_agent[:256],
        created_at=now,
        seen_at=now,
        authenticated_at=now if is_full else None,
        expires_at=now + LIFETIMES[stage],
        ended_at=None,
    )
    database.add(row)
    database.flush()
    return token, row


def is_stale(row: StaffSession, *, now: int) -> bool:
    """Tell whether it is time to note again that the session is in use: once a minute."""
    return now - row.seen_at >= SEEN_STEP


def touch(database: Session, session_id: str, *, now: int) -> None:
    """Note that the session is in use."""
    database.execute(
        update(StaffSession)
        .where(StaffSession.id == session_id, StaffSession.ended_at.is_(None))
        .values(seen_at=now)
    )


def renew(database: Session, session_id: str, *, now: int) -> tuple[int, bool]:
    """Note that a session is in use; return when it ends now, and whether that is final."""
    row = database.get_one(StaffSession, session_id, populate_existing=True)
    row.seen_at = now
    return ends_at(row), is_final(row)


def close(database: Session, session_id: str, *, now: int) -> bool:
    """End the session that a step of the sign-in leaves behind; False when it has ended."""
    ended = update(StaffSession).where(
        StaffSession.id == session_id, StaffSession.ended_at.is_(None)
    )
    return changed(database.execute(ended.values(ended_at=now, flow="{}"))) == 1


def confirm(
    database: Session, session_id: str, *, now: int, entropy: Callable[[int], bytes]
) -> str:
    """Note that its holder has just shown who they are, and return the session's new token.

    Raises EndedError where it ended a moment before: nothing that came with it is kept.
    """
    token = new_token(entropy)
    confirmed = update(StaffSession).where(
        StaffSession.id == session_id, StaffSession.ended_at.is_(None)
    )
    values = {"token_hash": token_hash(token), "authenticated_at": now, "seen_at": now}
    if changed(database.execute(confirmed.values(**values))) != 1:
        raise EndedError
    return token


def end(database: Session, session_id: str, staff_id: str, *, now: int) -> bool:
    """End one session of a member of staff; False when there is none to end."""
    result = database.execute(
        update(StaffSession)
        .where(
            StaffSession.id == session_id,
            StaffSession.staff_id == staff_id,
            StaffSession.ended_at.is_(None),
        )
        .values(ended_at=now, flow="{}")
    )
    return changed(result) == 1


def end_all(database: Session, staff_id: str, *, now: int, keep: str | None = None) -> int:
    """End every session of a member of staff, but for one, and return how many ended."""
    query = update(StaffSession).where(
        StaffSession.staff_id == staff_id, StaffSession.ended_at.is_(None)
    )
    if keep is not None:
        query = query.where(StaffSession.id != keep)
    result = database.execute(query.values(ended_at=now, flow="{}"))
    return changed(result)


def is_fresh(row: StaffSession, *, now: int) -> bool:
    """Tell whether its holder showed who they are so lately that they need not do so again."""
    return row.authenticated_at is not None and now - row.authenticated_at < FRESH
