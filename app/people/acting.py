"""What an act will be about: whose thing it is, what it is called, who will be told.

No framework here. Who may not act on somebody learns it here, before they are asked for a reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.posting import post_address
from app.activation.revocation import active_keys_from
from app.devices.services import KeyView, find_device, find_key
from app.models import AccountService, GroupMember, Invitation, MailAccount, PersonGroup
from app.people.one import owner_of, show_session
from app.people.things import Owner, owners_of
from app.signed_in.services import SessionView
from app.staff.reach import Actor, OutOfReachError, check, groups_within


@dataclass(frozen=True)
class About:
    """What an act is about."""

    kind: str
    id: str
    owner: Owner
    # What it is called; for a session and an activation that is whose it is.
    name: str
    # Where the person would be told by mail; None where they have no address.
    told: str | None
    # The keys that would end with it.
    keys: tuple[KeyView, ...] = ()
    session: SessionView | None = None
    # What a form begins with.
    present: dict[str, Any] = field(default_factory=dict)


def about(session: Session, actor: Actor, kind: str, thing_id: str, *, now: int) -> About:
    """Return what an act on a thing is about.

    Raises OutOfReachError as for what is missing, ColleagueError where the actor may not act.
    """
    owner = _owner(session, actor, kind, thing_id)
    check(session, actor, owner.id)
    told = post_address(session, owner.id)
    called = owner.name or owner.address or owner.id
    match kind:
        case "person":
            return About(
                kind, thing_id, owner, called, told, present=_person(session, actor, owner)
            )
        case "device":
            device = find_device(session, owner.id, thing_id, now=now)
            if device is None:
                raise OutOfReachError
            return About(kind, thing_id, owner, device.name, told, keys=device.active_keys)
        case "key":
            key = find_key(session, owner.id, thing_id, now=now)
            if key is None:
                raise OutOfReachError
            return About(kind, thing_id, owner, key.device_name, told, keys=(key,))
        case "activation":
            ending = active_keys_from(session.connection(), thing_id)
            found = (find_key(session, owner.id, each, now=now) for each in ending)
            keys = tuple(key for key in found if key is not None)
            return About(kind, thing_id, owner, called, told, keys=keys)
        case "session":
            _, living = show_session(session, actor, thing_id, now=now)
            return About(kind, thing_id, owner, called, told, session=living)
        case "invitation":
            invitation = session.get_one(Invitation, thing_id)
            return About(kind, thing_id, owner, invitation.address, invitation.address)
        case "account":
            address = session.get_one(MailAccount, thing_id).address
            services = _services(session, thing_id)
            return About(kind, thing_id, owner, address, told, present={"services": services})
    return About(kind, thing_id, owner, called, told)


def accounts_of(session: Session, person_id: str) -> list[tuple[str, str]]:
    """Return id and address of the person's mail accounts, the proven ones first."""
    rows = session.execute(
        select(MailAccount.id, MailAccount.address)
        .where(MailAccount.person_id == person_id)
        .order_by(MailAccount.proven_at.is_(None), MailAccount.created_at, MailAccount.id)
    )
    return [(row.id, row.address) for row in rows]


def _owner(session: Session, actor: Actor, kind: str, thing_id: str) -> Owner:
    if kind != "person":
        return owner_of(session, actor, kind, thing_id)
    found = owners_of(session, [thing_id]).get(thing_id)
    if found is None:
        raise OutOfReachError
    return found


def _person(session: Session, actor: Actor, owner: Owner) -> dict[str, Any]:
    groups = session.scalars(
        select(GroupMember.group_id)
        .join(PersonGroup, PersonGroup.id == GroupMember.group_id)
        .where(GroupMember.person_id == owner.id, groups_within(actor))
    ).all()
    return {"name": owner.name, "groups": list(groups)}


def _services(session: Session, account_id: str) -> list[str]:
    found = session.scalars(
        select(AccountService.service).where(AccountService.account_id == account_id)
    )
    return list(found)
