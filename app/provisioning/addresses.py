"""A person's address changed, went to somebody else, or is claimed twice.

Staff never move a key to another address, nor a person to whoever proves one: they enter the new
address, which only its owner can prove while signed in as themselves, or they release an address,
and with it the keys that it led to. docs/decisions/0020 says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

from app.accounts import passing_on
from app.accounts.proof import MOST_ACCOUNTS
from app.audit import Act
from app.clock import DAY
from app.database import queue_for
from app.mailservers.address import AddressError, parse
from app.mailservers.server import VouchedBy
from app.models import (
    AccountService,
    AuditEntry,
    Invitation,
    InvitationState,
    MailAccount,
    ServiceName,
    new_id,
)
from app.outbox.kinds import MailKind
from app.people import terms
from app.provisioning.acts import (
    Deed,
    GoneError,
    Here,
    UnusableError,
    begin,
    refuse_disabled,
    who,
)
from app.provisioning.choosing import give
from app.provisioning.inviting import refuse_invited
from app.staff.reach import Actor, refuse_colleague

# How long staff are told of a claim after it was made.
CONTESTED: Final = 90 * DAY


class AddressInUseError(Exception):
    """The address is proven, by this person or by another."""


class Claim(StrEnum):
    """What is the matter with an address of somebody's."""

    # Another person has entered it without proof, or was invited by it.
    ALSO_CLAIMED = "also-claimed"
    # Another person showed that they can sign in to its mailbox.
    CONTESTED = "contested"
    # Nobody has signed in with it for so long that it may be another's.
    QUIET = "quiet"
    # Mail to it came back.
    BOUNCED = "bounced"


@dataclass(frozen=True)
class Conflict:
    """One thing that staff should know about an address; ``at`` is when it began."""

    claim: Claim
    account_id: str
    address: str
    at: int


def change_address(
    session: Session,
    actor: Actor,
    person_id: str,
    account_id: str,
    new_address: str,
    *,
    keep_old: bool,
    reason: str,
    here: Here,
) -> str:
    """Enter a person's new address beside an old one, and return the id of its invitation.

    It counts once its owner adds it, signed in as themselves; then the old one goes, unless it is
    kept. Needs PEOPLE_PROVISION. Raises UnusableError, AddressInUseError, AlreadyInvitedError,
    GoneError, DisabledPersonError, ReasonError, OutOfReachError, ColleagueError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=here.now, entropy=here.entropy)
    try:
        address = parse(new_address).text
    except AddressError:
        raise UnusableError("address") from None
    refuse_colleague(session, actor, [address])
    queue_for(session, address)
    refuse_disabled(session, person_id)
    old = _account(session, person_id, account_id)
    if passing_on.proven_owner(session, address) is not None:
        raise AddressInUseError
    refuse_invited(session, actor, address, here)
    account = _entered(deed, address, here)
    services = [each.value for each in ServiceName if each in _services_of(session, old)]
    give(session, account, services, here)
    invitation_id = _announce(deed, address, services, None if keep_old else old.id, here)
    deed.note(Act.ADDRESS_CHANGE_ASKED, invitation_id, account=address, former=old.address)
    for told in dict.fromkeys((old.address, address)):
        deed.tell(MailKind.ADDRESS_ENTERED, told, account=address)
    return invitation_id


def release_address(
    session: Session,
    actor: Actor,
    person_id: str,
    account_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Take an address off a person, because it is somebody else's now or nobody's.

    Its keys end at once, and the person is told wherever else they can be. Whoever proves it next
    is somebody new. Needs PEOPLE_DISABLE. Raises GoneError, ReasonError, OutOfReachError,
    ColleagueError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    account = _account(session, person_id, account_id)
    queue_for(session, account.address)
    passing_on.release(
        session,
        account,
        now=now,
        entropy=entropy,
        actor=actor.actor,
        why=deed.reason,
        facts={**who(session, actor), "reason": deed.reason},
    )


def keep_address(
    session: Session,
    actor: Actor,
    person_id: str,
    account_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Say that an address is still the same person's, however long it was quiet.

    Needs PEOPLE_DISABLE: who says so wrongly lets a stranger in. Raises as ``release_address``.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    kept = session.execute(
        update(MailAccount)
        .where(
            MailAccount.id == account_id,
            MailAccount.person_id == person_id,
            MailAccount.proven_at.is_not(None),
        )
        .values(kept_at=now)
        .returning(MailAccount.address)
        .execution_options(synchronize_session=False)
    ).first()
    if kept is None:
        raise GoneError
    deed.note(Act.ADDRESS_KEPT, account_id, account=kept.address)
    deed.tell(MailKind.ADDRESS_KEPT, account=kept.address)


def conflicts(
    session: Session, person_id: str, *, now: int, quiet: int = passing_on.QUIET
) -> list[Conflict]:
    """Return what staff should know about a person's addresses, the newest first.

    ``quiet`` is the installation's time (``PortalConfig.quiet_days``), in microseconds.
    """
    accounts = session.scalars(select(MailAccount).where(MailAccount.person_id == person_id)).all()
    found = [each for account in accounts for each in _of_account(account, now, quiet)]
    found += _also_claimed(session, person_id)
    addresses = {account.id: account.address for account in accounts}
    contested = session.execute(
        select(AuditEntry.target, AuditEntry.at).where(
            AuditEntry.subject_id == person_id,
            AuditEntry.act == Act.ADDRESS_CONTESTED,
            AuditEntry.at > now - CONTESTED,
            AuditEntry.target.in_(addresses),
        )
    )
    latest = {str(target): at for target, at in sorted(contested, key=lambda row: row[1])}
    found += [
        Conflict(Claim.CONTESTED, account_id, addresses[account_id], at)
        for account_id, at in latest.items()
    ]
    return sorted(found, key=lambda each: -each.at)


def _of_account(account: MailAccount, now: int, quiet: int) -> list[Conflict]:
    found = []
    if account.bounced_at is not None:
        found.append(Conflict(Claim.BOUNCED, account.id, account.address, account.bounced_at))
    if account.proven_at is not None and passing_on.is_quiet(account, now=now, quiet=quiet):
        last = max(moment or 0 for moment in (account.checked_at, account.proven_at))
        found.append(Conflict(Claim.QUIET, account.id, account.address, last))
    return found


def _also_claimed(session: Session, person_id: str) -> list[Conflict]:
    other = aliased(MailAccount)
    rows = session.execute(
        select(MailAccount.id, MailAccount.address, other.created_at)
        .join(other, other.address == MailAccount.address)
        .where(MailAccount.person_id == person_id, other.person_id != person_id)
        .order_by(other.created_at)
    )
    # Several others are one conflict, as old as the newest of them.
    latest = {account_id: (address, at) for account_id, address, at in rows}
    return [
        Conflict(Claim.ALSO_CLAIMED, account_id, address, at)
        for account_id, (address, at) in latest.items()
    ]


def _account(session: Session, person_id: str, account_id: str) -> MailAccount:
    account = session.scalar(
        select(MailAccount).where(MailAccount.id == account_id, MailAccount.person_id == person_id)
    )
    if account is None:
        raise GoneError
    return account


def _services_of(session: Session, account: MailAccount) -> set[str]:
    of_account = AccountService.account_id == account.id
    return set(session.scalars(select(AccountService.service).where(of_account)))


def _entered(deed: Deed, address: str, here: Here) -> MailAccount:
    """Return the person's account of an address that nobody has proven."""
    session = deed.session
    mine = session.scalars(select(MailAccount).where(MailAccount.person_id == deed.person_id)).all()
    found = next((each for each in mine if each.address == address), None)
    if found is not None:
        found.vouched_by = VouchedBy.STAFF
        return found
    if len(mine) >= MOST_ACCOUNTS:
        raise UnusableError("address")
    account = MailAccount(
        id=new_id(here.entropy),
        person_id=deed.person_id,
        address=address,
        vouched_by=VouchedBy.STAFF,
        created_at=here.now,
    )
    session.add(account)
    session.flush()
    terms.refresh(session, deed.person_id)
    return account


def _announce(
    deed: Deed, address: str, services: list[str], replaces: str | None, here: Here
) -> str:
    invitation = Invitation(
        id=new_id(here.entropy),
        person_id=deed.person_id,
        address=address,
        services=" ".join(services),
        state=InvitationState.OPEN,
        reason=deed.reason,
        invited_by=deed.actor.actor,
        replaces_id=replaces,
        created_at=here.now,
        expires_at=here.now + here.config.activation_days * DAY,
    )
    deed.session.add(invitation)
    deed.session.flush()
    return invitation.id
