"""Tokens of the administration's REST API. No web framework here.

A token has some of its maker's permissions. What it may do at this moment is what both have now:
it ends with its maker's disablement, and shrinks with their role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from app.accounts.sessions import SEEN_STEP, TOKEN_LENGTH, new_token, token_hash
from app.audit import Act, record
from app.clock import DAY
from app.database import Database
from app.models import ApiAnswer, ApiToken, Reach, Staff, StaffState, new_id
from app.rights import Permission, permissions_of
from app.staff.reach import Actor

# By this beginning programs that look for leaked secrets find one.
PREFIX: Final = "hfa_"
LENGTH: Final = len(PREFIX) + TOKEN_LENGTH
MOST_DAYS: Final = 365
# For how long the same request again is answered as before.
ANSWERS_KEPT: Final = DAY
# What some operation of the API, or the numbers for monitors, need. A token opens nothing else: no
# page, no staff and no other token.
OPENED: Final = frozenset(
    {
        Permission.PEOPLE_SEE,
        Permission.PEOPLE_PROVISION,
        Permission.DEVICES_REVOKE,
        Permission.PEOPLE_IMPORT,
        Permission.PEOPLE_DISABLE,
        Permission.GROUPS_MANAGE,
        Permission.AUDIT_SEE,
        Permission.METRICS_READ,
    }
)


class NotGrantableError(Exception):
    """A scope that the maker does not have, or that no token may have."""


@dataclass(frozen=True)
class Made:
    """A new token: the only time its text is known here."""

    id: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Holder:
    """Whoever shows a token, with what they may do now."""

    id: str
    staff_id: str
    role: str
    reach: Reach
    permissions: frozenset[Permission]
    used_at: int | None

    def as_actor(self) -> Actor:
        """Return them as services know who acts."""
        return Actor(f"token:{self.id}", self.permissions, self.reach, self.staff_id, self.role)


@dataclass(frozen=True)
class TokenView:
    """A token in the list; its text is not known any more."""

    id: str
    name: str
    maker: str
    scopes: tuple[Permission, ...]
    state: str
    created_at: int
    expires_at: int
    used_at: int | None
    ended_at: int | None


def grantable(permissions: Iterable[Permission]) -> tuple[Permission, ...]:
    """Return which of somebody's permissions a token of theirs may have, in their order."""
    owned = frozenset(permissions)
    return tuple(one for one in Permission if one in owned and one in OPENED)


def make(
    session: Session,
    maker: Actor,
    *,
    name: str,
    scopes: Iterable[Permission],
    days: int,
    now: int,
    entropy: Callable[[int], bytes],
) -> Made:
    """Make a token, audited; raise NotGrantableError. ``days`` is from 1 to MOST_DAYS."""
    wanted = frozenset(scopes)
    if not wanted or maker.staff_id is None or not wanted <= set(grantable(maker.permissions)):
        raise NotGrantableError
    text = PREFIX + new_token(entropy)
    row = ApiToken(
        id=new_id(entropy),
        staff_id=maker.staff_id,
        name=name,
        token_hash=token_hash(text),
        scopes=" ".join(sorted(wanted)),
        created_at=now,
        expires_at=now + days * DAY,
    )
    session.add(row)
    detail: dict[str, str | int] = {"name": name, "scopes": row.scopes, "days": days}
    record(session, at=now, actor=maker.actor, act=Act.TOKEN_MADE, target=row.id, detail=detail)
    return Made(row.id, text)


def end(session: Session, actor: Actor, token_id: str, *, now: int) -> bool:
    """End a token, audited; False when there is none to end.

    Anybody who manages tokens may end any: it takes rights away and gives none.
    """
    ended = session.execute(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.ended_at.is_(None), ApiToken.expires_at > now)
        .values(ended_at=now)
    )
    if cast("CursorResult[Any]", ended).rowcount != 1:
        return False
    name = session.scalar(select(ApiToken.name).where(ApiToken.id == token_id)) or ""
    record(
        session,
        at=now,
        actor=actor.actor,
        act=Act.TOKEN_ENDED,
        target=token_id,
        detail={"name": name},
    )
    return True


def find(session: Session, untrusted_text: str, *, now: int) -> Holder | None:
    """Return who a token stands for, or None when it is none, has ended, or its maker has gone."""
    is_one = len(untrusted_text) == LENGTH and untrusted_text.startswith(PREFIX)
    if not is_one or not untrusted_text.isascii():
        return None
    return _holder(session, ApiToken.token_hash == token_hash(untrusted_text), now)


def holder_of(session: Session, token_id: str, *, now: int) -> Holder | None:
    """Return whom a token stands for by its id: work goes on when the request is over."""
    return _holder(session, ApiToken.id == token_id, now)


def touch(session: Session, holder: Holder, *, now: int) -> None:
    """Note that a token is in use, once a minute at most."""
    if is_stale(holder, now=now):
        session.execute(update(ApiToken).where(ApiToken.id == holder.id).values(used_at=now))


def is_stale(holder: Holder, *, now: int) -> bool:
    """Tell whether its last use was noted so long ago that this one is noted, too."""
    return holder.used_at is None or now - holder.used_at >= SEEN_STEP


def forget_answer(session: Session, token_id: str, key: str) -> None:
    """Delete what a request was answered: its day is over, and the sweeper was not here yet."""
    session.execute(delete(ApiAnswer).where(ApiAnswer.token_id == token_id, ApiAnswer.key == key))


def forget_answers(database: Database, *, now: int) -> None:
    """Delete the answers whose day is over."""
    with database.write() as session:
        session.execute(delete(ApiAnswer).where(ApiAnswer.created_at <= now - ANSWERS_KEPT))


def list_tokens(session: Session, *, now: int) -> list[TokenView]:
    """Return every token, those that work first, the newest on top."""
    rows = session.execute(
        select(ApiToken, Staff)
        .join(Staff, Staff.id == ApiToken.staff_id)
        .order_by(ApiToken.created_at.desc(), ApiToken.id)
    ).all()
    views = [_view(token, staff, now) for token, staff in rows]
    return sorted(views, key=lambda view: view.state != "active")


def _holder(session: Session, condition: Any, now: int) -> Holder | None:
    found = session.execute(
        select(ApiToken, Staff).join(Staff, Staff.id == ApiToken.staff_id).where(condition)
    ).first()
    if found is None:
        return None
    token, staff = found
    if _state(token, staff, now) != "active":
        return None
    permissions = frozenset(_scopes(token)) & permissions_of(staff.role)
    reach = Reach(staff.reach)
    return Holder(token.id, staff.id, staff.role, reach, permissions, token.used_at)


def _view(token: ApiToken, staff: Staff, now: int) -> TokenView:
    return TokenView(
        token.id,
        token.name,
        staff.name,
        _scopes(token),
        _state(token, staff, now),
        token.created_at,
        token.expires_at,
        token.used_at,
        token.ended_at,
    )


def _state(token: ApiToken, staff: Staff, now: int) -> str:
    if token.ended_at is not None or staff.state != StaffState.ACTIVE:
        return "ended"
    return "expired" if now >= token.expires_at else "active"


def _scopes(token: ApiToken) -> tuple[Permission, ...]:
    return tuple(one for one in map(Permission, token.scopes.split()) if one in OPENED)
