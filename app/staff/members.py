"""Looking after staff: invite, change, disable, reset. Nobody gives what they do not have.

Nobody changes what they are themselves, nor touches who may do more than they, or reaches
further; and one active owner stays, even if two owners disable each other at the same moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import (
    ApiToken,
    LinkPurpose,
    PersonGroup,
    Reach,
    RecoveryCode,
    Staff,
    StaffGroup,
    StaffLink,
    StaffPasskey,
    StaffRole,
    StaffState,
    new_id,
)
from app.rights import may_grant
from app.staff import factors, links, sessions
from app.staff.enrolling import LoginTakenError
from app.staff.reach import Actor, groups_within


class MemberMissingError(Exception):
    """There is no such member of staff."""


class NotYoursError(Exception):
    """The actor may do less than this member, or less than what they would give."""


class LastOwnerError(Exception):
    """Without this owner there would be none."""


@dataclass(frozen=True)
class Place:
    """What a member of staff is and whom they may act on."""

    role: StaffRole
    reach: Reach
    groups: frozenset[str]


@dataclass(frozen=True)
class Newcomer:
    """Who is invited."""

    name: str
    login: str
    address: str | None
    place: Place


@dataclass(frozen=True)
class MemberView:
    """One member of staff as pages show them."""

    id: str
    login: str
    name: str
    address: str | None
    role: StaffRole
    reach: Reach
    state: StaffState
    created_at: int
    seen_at: int | None
    groups: tuple[tuple[str, str], ...]
    has_totp: bool
    passkeys: int
    codes_left: int
    sessions: int
    link_until: int | None


def list_members(database: Session) -> list[Staff]:
    """Return everybody who works here, by name; who is disabled comes last."""
    rows = database.scalars(select(Staff).order_by(Staff.name, Staff.id))
    return sorted(rows, key=lambda row: row.state == StaffState.DISABLED)


def view(database: Session, staff_id: str, *, now: int) -> MemberView:
    """Return what pages show of a member, or raise MemberMissingError."""
    staff = _get(database, staff_id)
    groups = database.execute(
        select(PersonGroup.id, PersonGroup.name)
        .join(StaffGroup, StaffGroup.group_id == PersonGroup.id)
        .where(StaffGroup.staff_id == staff_id)
        .order_by(PersonGroup.name)
    )
    passkeys = select(StaffPasskey.id).where(StaffPasskey.staff_id == staff_id)
    codes = select(RecoveryCode.id).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    link = select(StaffLink.expires_at).where(
        StaffLink.staff_id == staff_id, StaffLink.used_at.is_(None), StaffLink.expires_at > now
    )
    return MemberView(
        id=staff.id,
        login=staff.login,
        name=staff.name,
        address=staff.address,
        role=StaffRole(staff.role),
        reach=Reach(staff.reach),
        state=StaffState(staff.state),
        created_at=staff.created_at,
        seen_at=staff.seen_at,
        groups=tuple((row.id, row.name) for row in groups),
        has_totp=staff.totp_sealed is not None,
        passkeys=len(database.scalars(passkeys).all()),
        codes_left=len(database.scalars(codes).all()),
        sessions=len(sessions.of_staff(database, staff_id, now=now)),
        link_until=database.scalar(link.limit(1)),
    )


def may_manage(database: Session, actor: Actor, staff_id: str) -> bool:
    """Tell whether the actor may change this member, for what a page offers."""
    try:
        manageable(database, actor, staff_id)
    except NotYoursError:
        return False
    return True


def roles_to_give(actor: Actor) -> list[StaffRole]:
    """Return the roles that the actor may give."""
    return [role for role in StaffRole if may_grant(actor.role, role)]


def groups_to_give(database: Session, actor: Actor) -> list[PersonGroup]:
    """Return the groups to which the actor may limit somebody's reach."""
    query = select(PersonGroup).where(groups_within(actor)).order_by(PersonGroup.name)
    return list(database.scalars(query))


def invite(
    database: Session,
    actor: Actor,
    newcomer: Newcomer,
    *,
    now: int,
    entropy: Callable[[int], bytes],
) -> tuple[str, str]:
    """Add a member; returns their id and the secret of their link. Raises LoginTakenError."""
    _check_place(database, actor, newcomer.place)
    staff = Staff(
        id=new_id(entropy),
        login=newcomer.login,
        name=newcomer.name,
        address=newcomer.address,
        role=newcomer.place.role,
        reach=newcomer.place.reach,
        state=StaffState.INVITED,
        created_at=now,
        created_by=actor.actor,
    )
    if database.scalar(select(Staff.id).where(Staff.login == newcomer.login)) is not None:
        raise LoginTakenError
    database.add(staff)
    try:
        database.flush()
    except IntegrityError as error:
        raise LoginTakenError from error
    _set_groups(database, staff.id, newcomer.place)
    detail = {"login": staff.login, "role": staff.role, **_groups_detail(newcomer.place)}
    _record(database, actor, Act.STAFF_INVITED, staff.id, now, detail)
    link = links.make(
        database, staff.id, LinkPurpose.INVITED, actor=actor.actor, now=now, entropy=entropy
    )
    return staff.id, link


def rename(
    database: Session, actor: Actor, staff_id: str, name: str, address: str | None, *, now: int
) -> None:
    """Change what a member is called, and at which address they are a colleague."""
    staff = manageable(database, actor, staff_id)
    if (staff.name, staff.address) == (name, address):
        return
    staff.name, staff.address = name, address
    database.flush()
    _record(database, actor, Act.STAFF_CHANGED, staff_id, now, {"name": name})


def move(database: Session, actor: Actor, staff_id: str, place: Place, *, now: int) -> None:
    """Change a member's role, and whom they may act on; in force at their next request."""
    staff = manageable(database, actor, staff_id)
    _check_place(database, actor, place)
    if staff.role != place.role:
        _keep_an_owner(database, staff)
        detail = {"from": staff.role, "to": place.role.value}
        staff.role = place.role
        _record(database, actor, Act.STAFF_ROLE_CHANGED, staff_id, now, detail)
    before = _groups_of(database, staff_id)
    if (staff.reach, before) != (place.reach, place.groups):
        staff.reach = place.reach
        _set_groups(database, staff_id, place)
        _record(database, actor, Act.STAFF_REACH_CHANGED, staff_id, now, _groups_detail(place))
    database.flush()


def disable(database: Session, actor: Actor, staff_id: str, reason: str, *, now: int) -> None:
    """Keep a member out from now on; what they did stays."""
    staff = manageable(database, actor, staff_id)
    if staff.state == StaffState.DISABLED:
        return
    _keep_an_owner(database, staff)
    staff.state = StaffState.DISABLED
    _end_everything(database, staff_id, now=now)
    _record(database, actor, Act.STAFF_DISABLED, staff_id, now, {"reason": reason})


def enable(database: Session, actor: Actor, staff_id: str, *, now: int) -> None:
    """Let a disabled member in again; who had not got to the end before needs a new link."""
    staff = manageable(database, actor, staff_id)
    if staff.state != StaffState.DISABLED:
        return
    is_ready = staff.password_hash is not None and factors.count(database, staff) > 0
    staff.state = StaffState.ACTIVE if is_ready else StaffState.INVITED
    database.flush()
    _record(database, actor, Act.STAFF_ENABLED, staff_id, now, {})


def reset(
    database: Session, actor: Actor, staff_id: str, *, now: int, entropy: Callable[[int], bytes]
) -> str:
    """Take a member's password and second factors away; returns the secret of a new link."""
    staff = manageable(database, actor, staff_id)
    if staff.state == StaffState.DISABLED:
        raise NotYoursError
    _keep_an_owner(database, staff)
    return forget_sign_in(database, staff, actor.actor, now=now, entropy=entropy)


def forget_sign_in(
    database: Session, staff: Staff, by: str, *, now: int, entropy: Callable[[int], bytes]
) -> str:
    """Do it without asking who may: at the desk that is asked by ``reset``."""
    purpose = LinkPurpose.INVITED if staff.password_hash is None else LinkPurpose.RESET
    staff.password_hash = staff.password_at = staff.totp_sealed = staff.totp_step = None
    staff.state = StaffState.INVITED
    for table in (StaffPasskey, RecoveryCode):
        database.execute(delete(table).where(table.staff_id == staff.id))
    _end_everything(database, staff.id, now=now)
    record(database, at=now, actor=by, act=Act.STAFF_RESET, target=staff.id)
    return links.make(database, staff.id, purpose, actor=by, now=now, entropy=entropy)


def end_sessions(database: Session, actor: Actor, staff_id: str, *, now: int) -> int:
    """End every session of a member and return how many there were."""
    manageable(database, actor, staff_id)
    ended = sessions.end_all(database, staff_id, now=now)
    if ended:
        _record(database, actor, Act.STAFF_SESSION_ENDED, staff_id, now, {"count": ended})
    return ended


def manageable(database: Session, actor: Actor, staff_id: str) -> Staff:
    """Return a member whom the actor may change, or raise NotYoursError."""
    staff = _get(database, staff_id)
    if staff_id == actor.staff_id or not may_grant(actor.role, staff.role):
        raise NotYoursError
    place = Place(StaffRole(staff.role), Reach(staff.reach), _groups_of(database, staff_id))
    _check_reach(database, actor, place)
    return staff


def _get(database: Session, staff_id: str) -> Staff:
    staff = database.scalar(
        select(Staff).where(Staff.id == staff_id).execution_options(populate_existing=True)
    )
    if staff is None:
        raise MemberMissingError
    return staff


def _check_place(database: Session, actor: Actor, place: Place) -> None:
    if not may_grant(actor.role, place.role):
        raise NotYoursError
    _check_reach(database, actor, place)


def _check_reach(database: Session, actor: Actor, place: Place) -> None:
    if actor.reach == Reach.EVERYONE:
        return
    mine = {group.id for group in groups_to_give(database, actor)}
    if place.reach == Reach.EVERYONE or not place.groups <= mine:
        raise NotYoursError


def _keep_an_owner(database: Session, staff: Staff) -> None:
    """Raise LastOwnerError if this is the only active owner; others wait until we are done."""
    if staff.role != StaffRole.OWNER or staff.state != StaffState.ACTIVE:
        return
    owners = database.scalars(
        select(Staff.id)
        .where(Staff.role == StaffRole.OWNER, Staff.state == StaffState.ACTIVE)
        .order_by(Staff.id)
        .with_for_update()
    ).all()
    if not set(owners) - {staff.id}:
        raise LastOwnerError


def _end_everything(database: Session, staff_id: str, *, now: int) -> None:
    sessions.end_all(database, staff_id, now=now)
    # Their programs come back with new tokens only.
    tokens = update(ApiToken).where(ApiToken.staff_id == staff_id, ApiToken.ended_at.is_(None))
    database.execute(tokens.values(ended_at=now))
    database.execute(
        delete(StaffLink).where(StaffLink.staff_id == staff_id, StaffLink.used_at.is_(None))
    )


def _groups_of(database: Session, staff_id: str) -> frozenset[str]:
    query = select(StaffGroup.group_id).where(StaffGroup.staff_id == staff_id)
    return frozenset(database.scalars(query))


def _set_groups(database: Session, staff_id: str, place: Place) -> None:
    database.execute(delete(StaffGroup).where(StaffGroup.staff_id == staff_id))
    wanted = place.groups if place.reach == Reach.GROUPS else frozenset[str]()
    for group_id in sorted(wanted):
        database.add(StaffGroup(staff_id=staff_id, group_id=group_id))
    database.flush()


def _groups_detail(place: Place) -> dict[str, str]:
    return {"reach": place.reach.value, "groups": " ".join(sorted(place.groups))}


def _record(
    database: Session,
    actor: Actor,
    act: Act,
    staff_id: str,
    now: int,
    detail: dict[str, str] | dict[str, int],
) -> None:
    record(database, at=now, actor=actor.actor, act=act, target=staff_id, detail={**detail})
