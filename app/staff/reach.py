"""Whom a member of staff may see and act on: everyone, or the people of their groups.

Who is out of reach is missing: lists leave them out, and their pages are not found. A colleague
may be seen; acting on one is for who manages staff and may do no less than they.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Select, exists, false, select, true
from sqlalchemy.orm import Session

from app.mailservers.server import VouchedBy
from app.models import (
    GroupMember,
    MailAccount,
    Person,
    PersonGroup,
    Reach,
    Staff,
    StaffGroup,
    StaffState,
)
from app.rights import Permission, may_grant

# Who is disabled works here no more.
WORKING: Final = (StaffState.INVITED, StaffState.ACTIVE)


class OutOfReachError(Exception):
    """There is no such person as far as this actor can see."""


class ColleagueError(Exception):
    """The person works here, and the actor does not manage staff who may do what they may."""


@dataclass(frozen=True)
class Actor:
    """Who acts: a member of staff at their desk, or by a token of the REST API."""

    # As the audit names them: "staff:ID" or "token:ID".
    actor: str
    permissions: frozenset[Permission]
    reach: Reach
    # Whose groups limit the reach, for a token its maker's.
    staff_id: str | None
    role: str

    def may(self, permission: Permission) -> bool:
        """Tell whether they have a permission."""
        return permission in self.permissions


def within(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``Person.id`` that leaves out whom the actor cannot see."""
    if actor.reach == Reach.EVERYONE:
        return true()
    return Person.id.in_(people_within(actor))


def within_each(actor: Actor) -> ColumnElement[bool]:
    """Return the same condition for people who are looked at one by one, as along a list."""
    if actor.reach == Reach.EVERYONE:
        return true()
    theirs = GroupMember.group_id.in_(_groups_of(actor))
    return exists().where(GroupMember.person_id == Person.id, theirs)


def people_within(actor: Actor) -> Select[str]:
    """Return the ids of the people of the actor's groups, some of them twice."""
    return select(GroupMember.person_id).where(GroupMember.group_id.in_(_groups_of(actor)))


def groups_within(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``PersonGroup.id`` that leaves out groups beyond the reach."""
    return true() if actor.reach == Reach.EVERYONE else PersonGroup.id.in_(_groups_of(actor))


def find(session: Session, actor: Actor, person_id: str) -> Person:
    """Return a person whom the actor may see, or raise OutOfReachError."""
    found = session.scalar(select(Person).where(Person.id == person_id, within(actor)))
    if found is None:
        raise OutOfReachError
    return found


def check(session: Session, actor: Actor, person_id: str) -> None:
    """Raise OutOfReachError or ColleagueError unless the actor may act on a person."""
    find(session, actor, person_id)
    if not may_act_on(actor, roles_of(session, person_id)):
        raise ColleagueError


def refuse_colleague(session: Session, actor: Actor, addresses: Collection[str]) -> None:
    """Raise ColleagueError where one of the addresses is that of somebody above the actor."""
    held = select(Staff.role).where(Staff.address.in_(addresses), Staff.state.in_(WORKING))
    if not may_act_on(actor, frozenset(session.scalars(held))):
        raise ColleagueError


def roles_of(session: Session, person_id: str) -> frozenset[str]:
    """Return what a person is here, besides being a user: nothing, or the roles of a colleague.

    They have proven the address of a member of staff, or staff have set them up for it. An address
    that somebody merely named a server for would let anybody shield themselves.
    """
    held = (
        select(Staff.role)
        .join(MailAccount, Staff.address == MailAccount.address)
        .where(
            MailAccount.person_id == person_id,
            MailAccount.proven_at.is_not(None) | (MailAccount.vouched_by == VouchedBy.STAFF),
            Staff.state.in_(WORKING),
        )
    )
    return frozenset(session.scalars(held))


def may_act_on(actor: Actor, roles: Collection[str]) -> bool:
    """Tell whether the actor may act on somebody who has these roles."""
    if not roles:
        return True
    return actor.may(Permission.STAFF_MANAGE) and all(may_grant(actor.role, role) for role in roles)


def _groups_of(actor: Actor) -> Select[str]:
    mine = select(StaffGroup.group_id)
    if actor.staff_id is None:
        return mine.where(false())
    return mine.where(StaffGroup.staff_id == actor.staff_id)
