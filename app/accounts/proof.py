"""Who an accepted credential makes you: the one place where an address becomes a person.

An address is proven only when the server that rightly serves its domain accepted a credential for
that very address. Everything else may sit beside a person who is signed in, marked unproven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.accounts.mail_checks import ACCEPTED, View
from app.activation.account_services import ensure_services
from app.activation.ending import forget_answers, kill
from app.audit import Act, record
from app.mailservers import address as addresses
from app.mailservers.check import Checked
from app.mailservers.server import VouchedBy
from app.models import (
    AccountService,
    EndedKey,
    KeyState,
    MailAccount,
    MailChallenge,
    Person,
    ServiceGrant,
    ServiceKey,
    new_id,
)
from app.people import terms

MOST_ACCOUNTS: Final = 50


class NotProvenError(Exception):
    """The mail server may not vouch for this address."""


class AddressTakenError(Exception):
    """Somebody else has proven this address."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class TooManyAccountsError(Exception):
    """The person has as many accounts as one may have."""


@dataclass(frozen=True)
class Here:
    """What making rows needs."""

    now: int
    shard: int
    entropy: Callable[[int], bytes]


def is_proof(check: View) -> bool:
    """Tell whether this accepted check proves that its address is the person's."""
    if check.server is None or check.outcome != ACCEPTED:
        return False
    return Checked(check.server, check.username).proves(addresses.parse(check.address))


def sign_in(database: Session, check: View, here: Here) -> str:
    """Return the person whom the check proves, made on their first time; or NotProvenError."""
    if not is_proof(check):
        raise NotProvenError
    owner = _proven(database, check.address)
    if owner is not None:
        _displace(database, check.address, keeper=owner.person_id, here=here)
        _refresh(owner, check, here)
        return owner.person_id
    person = Person(id=new_id(here.entropy), created_at=here.now)
    database.add(person)
    database.flush()
    _add(database, person.id, check, here)
    return person.id


def add_account(database: Session, person_id: str, check: View, here: Here) -> str:
    """Add the checked account to a person who is signed in and return its id."""
    owner = _proven(database, check.address)
    if owner is not None and owner.person_id != person_id:
        raise AddressTakenError(check.address)
    own = database.scalar(
        select(MailAccount).where(
            MailAccount.person_id == person_id, MailAccount.address == check.address
        )
    )
    if own is not None:
        # A weaker check never takes the place of a proof.
        if is_proof(check) or own.proven_at is None:
            if is_proof(check) and own.proven_at is None:
                _displace(database, check.address, keeper=person_id, here=here)
            _refresh(own, check, here)
        return own.id
    if _count(database, person_id) >= MOST_ACCOUNTS:
        raise TooManyAccountsError
    return _add(database, person_id, check, here)


def is_taken(database: Session, account: MailAccount) -> bool:
    """Tell whether somebody else has proven an account's address."""
    owner = _proven(database, account.address)
    return owner is not None and owner.id != account.id


def prove_by_challenge(database: Session, account: MailAccount, here: Here) -> None:
    """Make an account the person's whose reader answered a mail; or AddressTakenError."""
    if is_taken(database, account):
        raise AddressTakenError(account.address)
    _displace(database, account.address, keeper=account.person_id, here=here)
    if account.proven_at is None:
        account.proven_at, account.vouched_by = here.now, VouchedBy.CHALLENGE
        _record(
            database,
            Act.ADDRESS_PROVEN,
            account,
            account.id,
            f"person:{account.person_id}",
            "challenge",
            here.now,
        )
        database.flush()


def remove_account(
    database: Session, account: MailAccount, *, actor: str, reason: str, now: int
) -> None:
    """Remove an account with its services, keys and open activations, audited."""
    services = select(AccountService.id).where(AccountService.account_id == account.id)
    keys = database.scalars(
        select(ServiceKey).where(ServiceKey.account_service_id.in_(services)).with_for_update()
    ).all()
    for key in keys:
        if key.state == KeyState.ACTIVE:
            _record(database, Act.KEY_REVOKED, account, key.id, actor, reason, now)
        # Its device may ask at any time, and is told then.
        database.add(EndedKey(id=key.id, ended_at=now))
    activations = database.scalars(
        select(ServiceGrant.activation_id)
        .where(ServiceGrant.account_service_id.in_(services))
        .distinct()
    ).all()
    open_ones = [each for each in activations if each]
    for killed in kill(database.connection(), open_ones, reason=reason):
        _record(database, Act.ACTIVATION_ENDED, account, killed, actor, reason, now)
    gone = [key.activation_id for key in keys]
    database.execute(delete(ServiceKey).where(ServiceKey.account_service_id.in_(services)))
    database.execute(delete(ServiceGrant).where(ServiceGrant.account_service_id.in_(services)))
    forget_answers(database.connection(), gone)
    database.execute(delete(AccountService).where(AccountService.account_id == account.id))
    database.execute(delete(MailChallenge).where(MailChallenge.account_id == account.id))
    database.execute(delete(MailAccount).where(MailAccount.id == account.id))
    terms.refresh(database, account.person_id)
    _record(database, Act.ACCOUNT_REMOVED, account, account.id, actor, reason, now)


def note_failure(database: Session, address: str, cause: str, *, now: int) -> None:
    """Tell the owner of an address, if there is one, about a failed sign-in."""
    owner = _proven(database, address)
    if owner is None:
        return
    record(
        database,
        at=now,
        actor="system",
        act=Act.SIGN_IN_FAILED,
        subject=owner.person_id,
        target=owner.id,
        detail={"cause": cause, "account": address},
    )


def _proven(database: Session, address: str) -> MailAccount | None:
    return database.scalar(
        select(MailAccount).where(
            MailAccount.address == address, MailAccount.proven_at.is_not(None)
        )
    )


def _add(database: Session, person_id: str, check: View, here: Here) -> str:
    proven = is_proof(check)
    if proven:
        _displace(database, check.address, keeper=person_id, here=here)
    account = MailAccount(
        id=new_id(here.entropy),
        person_id=person_id,
        address=check.address,
        created_at=here.now,
        proven_at=None,
    )
    _refresh(account, check, here)
    database.add(account)
    database.flush()
    ensure_services(database, account.id, shard=here.shard, now=here.now, entropy=here.entropy)
    terms.refresh(database, person_id)
    record(
        database,
        at=here.now,
        actor=f"person:{person_id}",
        act=Act.ACCOUNT_ADDED,
        subject=person_id,
        target=account.id,
        detail={"account": account.address, "proven": int(proven)},
    )
    return account.id


def _refresh(account: MailAccount, check: View, here: Here) -> None:
    """Write down which server accepted the credential, and when."""
    server = check.server
    if server is None:
        raise NotProvenError
    if is_proof(check) and account.proven_at is None:
        account.proven_at = here.now
    account.vouched_by, account.checked_at = server.vouched_by, here.now
    smtp = server.smtp
    settings = {
        "host": server.host,
        "port": server.port,
        "security": server.security,
        "username": check.username,
        "smtp_host": None if smtp is None else smtp.host,
        "smtp_port": None if smtp is None else smtp.port,
        "smtp_security": None if smtp is None else smtp.security,
    }
    if any(getattr(account, name) != value for name, value in settings.items()):
        # Service books stay the same until this changes.
        account.settings_at = here.now
    for name, value in settings.items():
        setattr(account, name, value)


def _displace(database: Session, address: str, *, keeper: str, here: Here) -> None:
    """Remove what others claimed of this address without proof, now that its owner is known."""
    claims = database.scalars(
        select(MailAccount).where(
            MailAccount.address == address,
            MailAccount.person_id != keeper,
            MailAccount.proven_at.is_(None),
        )
    ).all()
    for claim in claims:
        remove_account(database, claim, actor="system", reason="proven-by-another", now=here.now)


def _count(database: Session, person_id: str) -> int:
    return len(
        database.scalars(select(MailAccount.id).where(MailAccount.person_id == person_id)).all()
    )


def _record(
    database: Session,
    act: Act,
    account: MailAccount,
    target: str,
    actor: str,
    reason: str,
    now: int,
) -> None:
    record(
        database,
        at=now,
        actor=actor,
        act=act,
        subject=account.person_id,
        target=target,
        detail={"account": account.address, "reason": reason},
    )
