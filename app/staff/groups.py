"""Groups: named sets of people, by which the reach of some staff is limited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import GroupMember, PersonGroup, Reach, Staff, StaffGroup, new_id
from app.staff.reach import Actor, OutOfReachError, groups_within


class GroupNameTakenError(Exception):
    """There is a group of that name."""


class GroupInUseError(Exception):
    """There are people in the group."""


@dataclass(frozen=True)
class GroupView:
    """One group as pages show it."""

    id: str
    name: str
    people: int
    # Names of the staff whose reach it is part of.
    staff: tuple[tuple[str, str], ...]


def list_groups(database: Session, actor: Actor) -> list[GroupView]:
    """Return the groups within the actor's reach, by name."""
    counts = (
        select(GroupMember.group_id, func.count().label("people"))
        .group_by(GroupMember.group_id)
        .subquery()
    )
    rows = database.execute(
        select(PersonGroup.id, PersonGroup.name, func.coalesce(counts.c.people, 0))
        .outerjoin(counts, counts.c.group_id == PersonGroup.id)
        .where(groups_within(actor))
        .order_by(PersonGroup.name)
    ).all()
    staff = _staff_of(database)
    return [
        GroupView(group_id, name, people, tuple(staff.get(group_id, ())))
        for group_id, name, people in rows
    ]


def find(database: Session, actor: Actor, group_id: str) -> GroupView:
    """Return one group within the actor's reach, or raise OutOfReachError."""
    row = _get(database, actor, group_id)
    people = select(func.count()).where(GroupMember.group_id == group_id)
    staff = tuple(_staff_of(database).get(group_id, ()))
    return GroupView(row.id, row.name, int(database.scalar(people) or 0), staff)


def make(
    database: Session,
    actor: Actor,
    name: str,
    *,
    now: int,
    entropy: Callable[[int], bytes],
) -> str:
    """Add a group and return its id; who reaches only some groups, reaches this one too."""
    row = PersonGroup(id=new_id(entropy), name=name, created_at=now)
    _refuse_taken(database, name, None)
    database.add(row)
    _flush(database)
    if actor.reach == Reach.GROUPS and actor.staff_id is not None:
        database.add(StaffGroup(staff_id=actor.staff_id, group_id=row.id))
        database.flush()
    detail = {"name": name}
    record(database, at=now, actor=actor.actor, act=Act.GROUP_MADE, target=row.id, detail=detail)
    return row.id


def rename(database: Session, actor: Actor, group_id: str, name: str, *, now: int) -> None:
    """Give a group another name."""
    row = _get(database, actor, group_id)
    if row.name == name:
        return
    _refuse_taken(database, name, group_id)
    row.name = name
    _flush(database)
    detail = {"name": name}
    record(database, at=now, actor=actor.actor, act=Act.GROUP_RENAMED, target=row.id, detail=detail)


def remove(database: Session, actor: Actor, group_id: str, *, now: int) -> None:
    """Remove a group that has nobody in it, or raise GroupInUseError."""
    row = _get(database, actor, group_id)
    members = select(GroupMember.person_id).where(GroupMember.group_id == group_id)
    if database.scalar(members.limit(1)) is not None:
        raise GroupInUseError
    name = row.name
    database.execute(delete(StaffGroup).where(StaffGroup.group_id == group_id))
    try:
        database.execute(delete(PersonGroup).where(PersonGroup.id == group_id))
    except IntegrityError as error:
        # Somebody was put into it at this very moment.
        raise GroupInUseError from error
    detail = {"name": name}
    record(
        database, at=now, actor=actor.actor, act=Act.GROUP_REMOVED, target=group_id, detail=detail
    )


def _get(database: Session, actor: Actor, group_id: str) -> PersonGroup:
    row = database.scalar(
        select(PersonGroup).where(PersonGroup.id == group_id, groups_within(actor))
    )
    if row is None:
        raise OutOfReachError
    return row


def _refuse_taken(database: Session, name: str, but: str | None) -> None:
    found = database.scalar(select(PersonGroup.id).where(PersonGroup.name == name))
    if found not in {None, but}:
        raise GroupNameTakenError


def _flush(database: Session) -> None:
    try:
        database.flush()
    except IntegrityError as error:
        raise GroupNameTakenError from error


def _staff_of(database: Session) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    rows = database.execute(
        select(StaffGroup.group_id, Staff.id, Staff.name)
        .join(Staff, Staff.id == StaffGroup.staff_id)
        .where(Staff.reach == Reach.GROUPS)
        .order_by(Staff.name)
    )
    for group_id, staff_id, name in rows:
        found.setdefault(group_id, []).append((staff_id, name))
    return found
