"""Invitations: a mail address is set up before its owner comes, and waits for them.

Inviting makes the person, their account (which nobody has proven), the chosen services, and an
activation that waits for a device. Whoever signs in at the address's own mail server takes all of
it over (``app.accounts.invited``); until then nobody has anything. Needs PEOPLE_PROVISION.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from app.accounts.invited import find_open
from app.audit import Act
from app.clock import DAY
from app.database import queue_for
from app.mailservers.address import AddressError, parse
from app.mailservers.server import VouchedBy
from app.models import (
    GroupMember,
    Invitation,
    InvitationState,
    MailAccount,
    Person,
    PersonGroup,
    Reach,
    ServiceName,
    new_id,
)
from app.outbox.kinds import MailKind
from app.people import terms
from app.provisioning.acts import (
    Deed,
    Here,
    UnusableError,
    begin,
    refuse_disabled,
    usable_name,
    usable_reason,
)
from app.provisioning.choosing import give, take_back, usable_services, wait
from app.provisioning.open_invitations import expire_one, send
from app.staff.reach import (
    Actor,
    check,
    find,
    groups_within,
    refuse_colleague,
)

_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")


class AlreadyInvitedError(Exception):
    """There is an open invitation for this address already."""

    def __init__(self, person_id: str) -> None:
        super().__init__(person_id)
        self.person_id: Final = person_id


@dataclass(frozen=True)
class Invite:
    """Whom to invite; ``groups`` are ids, ``language`` that of mail to them."""

    address: str
    name: str = ""
    services: Sequence[str] = tuple(ServiceName)
    groups: Sequence[str] = ()
    language: str | None = None


@dataclass(frozen=True)
class Invited:
    """What there is now; no invitation where the address was proven already."""

    person_id: str
    invitation_id: str | None
    activation_id: str


def invite(
    session: Session,
    actor: Actor,
    wanted: Invite,
    *,
    reason: str,
    here: Here,
    import_id: str | None = None,
) -> Invited:
    """Set an address up for its owner, or give the person who proved it what they lack.

    Raises ReasonError, UnusableError, AlreadyInvitedError, OutOfReachError (it is somebody's whom
    the actor cannot see), ColleagueError, DisabledPersonError.
    """
    usable_reason(reason)
    order = _usable(wanted)
    # The other way to a second person for one address is a sign-in with it, which queues too.
    queue_for(session, order.address)
    owner = session.scalar(
        select(MailAccount).where(
            MailAccount.address == order.address, MailAccount.proven_at.is_not(None)
        )
    )
    if owner is not None:
        return _provide(session, actor, owner, order, reason=reason, here=here)
    refuse_invited(session, actor, order.address, here)
    refuse_colleague(session, actor, [order.address])
    groups = _usable_groups(session, actor, order.groups)
    account = _earlier(session, actor, order.address) or _new_person(session, order, here)
    _join(session, account.person_id, groups)
    deed = begin(
        session, actor, account.person_id, reason=reason, now=here.now, entropy=here.entropy
    )
    return _open(deed, account, order, here, import_id)


def refuse_invited(session: Session, actor: Actor, address: str, here: Here) -> None:
    """Raise AlreadyInvitedError where an address waits for its owner; end what is over its time."""
    open_one = find_open(session, address)
    if open_one is None:
        return
    if open_one.expires_at > here.now:
        # Whom the actor cannot see is not named to them.
        find(session, actor, open_one.person_id)
        raise AlreadyInvitedError(open_one.person_id)
    # The worker comes round once a minute; nobody has to wait for it.
    expire_one(session, open_one.id, now=here.now)


def _usable(wanted: Invite) -> Invite:
    try:
        address = parse(wanted.address).text
    except AddressError:
        raise UnusableError("address") from None
    services = usable_services(wanted.services)
    language = wanted.language or None
    if language is not None and (len(language) > 16 or not _LANGUAGE.fullmatch(language)):
        raise UnusableError("language")
    return Invite(address, usable_name(wanted.name), services, tuple(wanted.groups), language)


def _provide(
    session: Session,
    actor: Actor,
    account: MailAccount,
    order: Invite,
    *,
    reason: str,
    here: Here,
) -> Invited:
    """Give the owner of a proven address the services they lack, and something that waits."""
    deed = begin(
        session, actor, account.person_id, reason=reason, now=here.now, entropy=here.entropy
    )
    refuse_disabled(session, account.person_id)
    give(session, account, order.services, here)
    activation_id = wait(deed, account, order.services, here)
    chosen = " ".join(order.services)
    deed.note(Act.SERVICES_CHOSEN, account.id, account=account.address, chosen=chosen)
    deed.tell(MailKind.SERVICES_CHOSEN, account.address, account=account.address, services=chosen)
    return Invited(account.person_id, None, activation_id)


def _usable_groups(session: Session, actor: Actor, groups: Sequence[str]) -> list[str]:
    """Return the groups; who reaches only some must put the person where they can see them."""
    wanted = set(groups)
    found = session.scalars(
        select(PersonGroup.id).where(PersonGroup.id.in_(wanted), groups_within(actor))
    ).all()
    if set(found) != wanted or (actor.reach == Reach.GROUPS and not wanted):
        raise UnusableError("groups")
    return sorted(found)


def _earlier(session: Session, actor: Actor, address: str) -> MailAccount | None:
    """Return the account of somebody who was invited before and never signed in."""
    account = session.scalar(
        select(MailAccount)
        .where(MailAccount.address == address, MailAccount.vouched_by == VouchedBy.STAFF)
        .order_by(MailAccount.created_at.desc(), MailAccount.id)
        .limit(1)
    )
    if account is None or session.scalar(
        select(
            exists().where(
                MailAccount.person_id == account.person_id, MailAccount.proven_at.is_not(None)
            )
        )
    ):
        return None
    check(session, actor, account.person_id)
    refuse_disabled(session, account.person_id)
    return account


def _new_person(session: Session, order: Invite, here: Here) -> MailAccount:
    person = Person(id=new_id(here.entropy), created_at=here.now)
    session.add(person)
    session.flush()
    account = MailAccount(
        id=new_id(here.entropy),
        person_id=person.id,
        address=order.address,
        vouched_by=VouchedBy.STAFF,
        created_at=here.now,
    )
    session.add(account)
    session.flush()
    return account


def _join(session: Session, person_id: str, groups: Sequence[str]) -> None:
    present = set(
        session.scalars(select(GroupMember.group_id).where(GroupMember.person_id == person_id))
    )
    rows = [{"group_id": each, "person_id": person_id} for each in groups if each not in present]
    if rows:
        session.execute(insert(GroupMember), rows)


def _open(
    deed: Deed, account: MailAccount, order: Invite, here: Here, import_id: str | None
) -> Invited:
    """Open the invitation with all that belongs to it."""
    session, until = deed.session, here.now + here.config.activation_days * DAY
    person = session.get_one(Person, account.person_id)
    person.name, person.language = order.name or person.name, order.language or person.language
    terms.refresh(session, person.id)
    chosen = " ".join(order.services)
    invitation = Invitation(
        id=new_id(here.entropy),
        person_id=person.id,
        address=account.address,
        services=chosen,
        state=InvitationState.OPEN,
        reason=deed.reason,
        invited_by=deed.actor.actor,
        import_id=import_id,
        created_at=here.now,
        expires_at=until,
    )
    session.add(invitation)
    session.flush()
    give(session, account, order.services, here)
    take_back(session, account, order.services, deed.by)
    deed.note(Act.PERSON_INVITED, invitation.id, account=account.address, chosen=chosen)
    activation_id = wait(deed, account, order.services, here)
    send(deed, MailKind.INVITED, account.address, chosen, until)
    return Invited(person.id, invitation.id, activation_id)
