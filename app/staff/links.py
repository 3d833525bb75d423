"""One-time links: for the first owner, for who was invited, for who lost what they sign in with.

The secret stands behind the ``#`` of the address, where no server, proxy or log sees it; the page
puts it into a form. Opening the page uses nothing up, since mail scanners open links too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.accounts.sessions import TOKEN_LENGTH, new_token, token_hash
from app.audit import Act, record
from app.clock import HOUR, MINUTE
from app.database import changed
from app.models import (
    LinkPurpose,
    RecoveryCode,
    Staff,
    StaffLink,
    StaffPasskey,
    StaffRole,
    StaffSession,
    StaffStage,
    StaffState,
    new_id,
)

PATH: Final = "/admin/welcome"
OPERATOR: Final = "operator"
LIFETIMES: Final = {
    LinkPurpose.FIRST: 30 * MINUTE,
    LinkPurpose.INVITED: 72 * HOUR,
    LinkPurpose.RESET: 72 * HOUR,
}


class OwnerExistsError(Exception):
    """There is an active owner, who can invite others."""


class LinkError(Exception):
    """There is no such link, or it was used, or its time is over."""


def address_of(issuer: str, token: str) -> str:
    """Return the whole address to hand over."""
    return f"{issuer}{PATH}#{token}"


def make_first(
    database: Session, *, reason: str | None, now: int, entropy: Callable[[int], bytes]
) -> str:
    """Return the secret of a link for an owner; every earlier one, opened or not, is dead.

    While there is an active owner it takes a reason, or OwnerExistsError is raised.
    """
    owner = select(Staff.id).where(Staff.role == StaffRole.OWNER, Staff.state == StaffState.ACTIVE)
    if reason is None and database.scalar(owner.limit(1)) is not None:
        raise OwnerExistsError
    _forget_first(database, now=now)
    detail = {} if reason is None else {"reason": reason}
    return _make(database, LinkPurpose.FIRST, None, OPERATOR, detail, now=now, entropy=entropy)


def make(
    database: Session,
    staff_id: str,
    purpose: LinkPurpose,
    *,
    actor: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> str:
    """Return the secret of a link for one member; every earlier one of theirs is dead."""
    database.execute(
        delete(StaffLink).where(StaffLink.staff_id == staff_id, StaffLink.used_at.is_(None))
    )
    return _make(database, purpose, staff_id, actor, {}, now=now, entropy=entropy)


def use(database: Session, untrusted_token: str, *, now: int) -> StaffLink:
    """Use a link up and return it, or raise LinkError; of two at once one gets it."""
    if len(untrusted_token) != TOKEN_LENGTH or not untrusted_token.isascii():
        raise LinkError
    row = database.scalar(
        select(StaffLink).where(StaffLink.token_hash == token_hash(untrusted_token))
    )
    if row is None:
        raise LinkError
    used = (
        update(StaffLink)
        .where(StaffLink.id == row.id, StaffLink.used_at.is_(None), StaffLink.expires_at > now)
        .values(used_at=now)
    )
    if changed(database.execute(used)) != 1:
        raise LinkError
    record(
        database,
        at=now,
        actor="system" if row.staff_id is None else f"staff:{row.staff_id}",
        act=Act.STAFF_LINK_OPENED,
        target=row.staff_id or row.id,
        detail={"purpose": row.purpose},
    )
    return row


def _make(
    database: Session,
    purpose: LinkPurpose,
    staff_id: str | None,
    actor: str,
    detail: dict[str, str],
    *,
    now: int,
    entropy: Callable[[int], bytes],
) -> str:
    token = new_token(entropy)
    row = StaffLink(
        id=new_id(entropy),
        token_hash=token_hash(token),
        purpose=purpose,
        staff_id=staff_id,
        created_at=now,
        expires_at=now + LIFETIMES[purpose],
        used_at=None,
    )
    database.add(row)
    database.flush()
    record(
        database,
        at=now,
        actor=actor,
        act=Act.STAFF_LINK_MADE,
        target=staff_id or row.id,
        detail={"purpose": purpose.value, **detail},
    )
    return token


def _forget_first(database: Session, *, now: int) -> None:
    """Forget earlier first links, and the owners who opened one and never got to the end."""
    half = list(
        database.scalars(
            select(Staff.id).where(
                Staff.role == StaffRole.OWNER,
                Staff.state == StaffState.INVITED,
                Staff.created_by == OPERATOR,
            )
        )
    )
    database.execute(
        update(StaffSession)
        .where(StaffSession.stage == StaffStage.ENROL, StaffSession.staff_id.is_(None))
        .values(ended_at=now, flow="{}")
    )
    unused = StaffLink.used_at.is_(None) | StaffLink.staff_id.in_(half)
    database.execute(delete(StaffLink).where(StaffLink.purpose == LinkPurpose.FIRST, unused))
    for table in (StaffSession, StaffPasskey, RecoveryCode):
        database.execute(delete(table).where(table.staff_id.in_(half)))
    database.execute(delete(Staff).where(Staff.id.in_(half)))
