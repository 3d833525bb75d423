"""Who an accepted credential makes you: the one place where an address becomes a person.

An address is proven only when the server that rightly serves its domain accepted a credential for
that very address. Everything else may sit beside a person who is signed in, marked unproven.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import invited
from app.accounts.mail_checks import ACCEPTED, View
from app.accounts.passing_on import QUIET, is_quiet, proven_owner, release, take_away_claims
from app.accounts.posting import tell
from app.accounts.removal import record_about, remove_account
from app.activation.account_services import ensure_services
from app.audit import Act, record
from app.crashpoints import crashpoint
from app.mailservers import address as addresses
from app.mailservers.check import Checked
from app.mailservers.server import VouchedBy
from app.models import MailAccount, Person, new_id
from app.outbox.kinds import MailKind
from app.people import terms

MOST_ACCOUNTS: Final = 50


class NotProvenError(Exception):
    """The mail server may not vouch for this address."""


class AddressTakenError(Exception):
    """Somebody else has proven this address."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class PersonDisabledError(Exception):
    """Whoever this is may not sign in: staff shut them out."""


class StartAnewError(Exception):
    """The address was somebody's before, who may be another: only its owner of today can say.

    ``is_announced`` tells that staff entered it as the new address of somebody who is known by
    another; otherwise nobody has signed in with it for a long time.
    """

    def __init__(self, address: str, *, is_announced: bool = False) -> None:
        super().__init__(address)
        self.address = address
        self.is_announced = is_announced


class TooManyAccountsError(Exception):
    """The person has as many accounts as one may have."""


@dataclass(frozen=True)
class Here:
    """What making rows needs."""

    now: int
    shard: int
    entropy: Callable[[int], bytes]
    # After so long without a sign-in an address may have gone to somebody else, in microseconds.
    quiet: int = QUIET


def is_proof(check: View) -> bool:
    """Tell whether this accepted check proves that its address is the person's."""
    if check.server is None or check.outcome != ACCEPTED:
        return False
    return Checked(check.server, check.username).proves(addresses.parse(check.address))


def sign_in(database: Session, check: View, here: Here, *, anew: bool = False) -> str:
    """Return the person whom the check proves: made on their first time, or invited before.

    Raises NotProvenError, PersonDisabledError, or StartAnewError; with ``anew`` the person says
    that nothing of whoever had the address before is theirs.
    """
    if not is_proof(check):
        raise NotProvenError
    owner = proven_owner(database, check.address)
    if owner is not None and _is_left(owner, check.address, here, anew=anew):
        release(database, owner, now=here.now, entropy=here.entropy)
        owner = None
    if owner is not None:
        lock_enabled(database, owner.person_id)
        take_away_claims(
            database, check.address, keeper=owner.person_id, now=here.now, entropy=here.entropy
        )
        _refresh(owner, check, here)
        return owner.person_id
    account = _set_up(database, check.address, here, anew=anew)
    if account is not None:
        lock_enabled(database, account.person_id)
        return _take_over(database, account, check, here)
    person = Person(id=new_id(here.entropy), created_at=here.now)
    database.add(person)
    database.flush()
    _add(database, person.id, check, here)
    return person.id


def lock_enabled(database: Session, person_id: str) -> None:
    """Raise PersonDisabledError for somebody shut out; nobody shuts them out in between."""
    disabled = database.scalar(
        select(Person.disabled_at).where(Person.id == person_id).with_for_update(read=True)
    )
    if disabled is not None:
        raise PersonDisabledError


def add_account(
    database: Session, person_id: str, check: View, here: Here, *, anew: bool = False
) -> str:
    """Add the checked account to a person who is signed in and return its id.

    Raises AddressTakenError, TooManyAccountsError, PersonDisabledError, or StartAnewError.
    """
    lock_enabled(database, person_id)
    owner = proven_owner(database, check.address)
    if owner is not None and owner.person_id != person_id:
        if not is_proof(check) or not _is_left(owner, check.address, here, anew=anew):
            raise AddressTakenError(check.address)
        release(database, owner, now=here.now, entropy=here.entropy)
    own = database.scalar(
        select(MailAccount).where(
            MailAccount.person_id == person_id, MailAccount.address == check.address
        )
    )
    if own is not None:
        # A weaker check never takes the place of a proof.
        if is_proof(check) and own.proven_at is None:
            return _prove(database, own, check, here)
        if is_proof(check) or own.proven_at is None:
            _refresh(own, check, here)
        return own.id
    if _count(database, person_id) >= MOST_ACCOUNTS:
        raise TooManyAccountsError
    inherited = invited.account_set_up(database, check.address, now=here.now)
    if (
        is_proof(check)
        and inherited is not None
        and not invited.is_known(database, inherited.person_id)
        and invited.hand_over(database, inherited, person_id, now=here.now)
    ):
        return _prove(database, inherited, check, here)
    return _add(database, person_id, check, here)


def is_taken(database: Session, account: MailAccount) -> bool:
    """Tell whether somebody else has proven an account's address."""
    owner = proven_owner(database, account.address)
    return owner is not None and owner.id != account.id


def prove_by_challenge(database: Session, account: MailAccount, here: Here) -> None:
    """Make an account the person's whose reader answered a mail; or AddressTakenError."""
    if is_taken(database, account):
        raise AddressTakenError(account.address)
    take_away_claims(
        database, account.address, keeper=account.person_id, now=here.now, entropy=here.entropy
    )
    if account.proven_at is None:
        account.proven_at, account.vouched_by = here.now, VouchedBy.CHALLENGE
        _note_proven(database, account, "challenge", here)
        database.flush()
        # It takes no other address's place, since nobody can sign in by it alone.
        invited.accept(database, account, now=here.now)


def note_failure(database: Session, address: str, cause: str, *, now: int) -> None:
    """Tell the owner of an address, if there is one, about a failed sign-in."""
    owner = proven_owner(database, address)
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


def _is_left(account: MailAccount, address: str, here: Here, *, anew: bool) -> bool:
    """Tell whether a newcomer says of a quiet address that it is theirs alone; or ask them."""
    if not is_quiet(account, now=here.now, quiet=here.quiet):
        return False
    if not anew:
        raise StartAnewError(address)
    return True


def _set_up(database: Session, address: str, here: Here, *, anew: bool) -> MailAccount | None:
    """Return what staff set up for this address and whoever comes with it, if there is something.

    The new address of somebody who is known makes nobody them: staff may have mistyped it.
    """
    account = invited.account_set_up(database, address, now=here.now)
    if account is None or not invited.is_known(database, account.person_id):
        return account
    if not anew:
        raise StartAnewError(address, is_announced=True)
    return None


def _take_over(database: Session, account: MailAccount, check: View, here: Here) -> str:
    """Make the person who came the one that staff invited."""
    _prove(database, account, check, here)
    crashpoint("arrival.written")
    return account.person_id


def _prove(database: Session, account: MailAccount, check: View, here: Here) -> str:
    """Turn an account into a proven one, and return its id."""
    take_away_claims(
        database, check.address, keeper=account.person_id, now=here.now, entropy=here.entropy
    )
    _refresh(account, check, here)
    _note_proven(database, account, account.vouched_by, here)
    database.flush()
    _fulfil(database, account, here)
    return account.id


def _note_proven(database: Session, account: MailAccount, how: str, here: Here) -> None:
    by = f"person:{account.person_id}"
    record_about(database, Act.ADDRESS_PROVEN, account, account.id, by, how, here.now)


def _fulfil(database: Session, account: MailAccount, here: Here) -> None:
    """Accept what staff had set up with a proven address; an account that it replaces goes."""
    accepted = invited.accept(database, account, now=here.now)
    if accepted is None or accepted.replaces_id is None:
        return
    old = database.get(MailAccount, accepted.replaces_id)
    if old is not None and old.person_id == account.person_id:
        tell(
            database,
            account.person_id,
            MailKind.ADDRESS_CHANGED,
            {"account": account.address},
            to=old.address,
            now=here.now,
            entropy=here.entropy,
        )
        by = f"person:{account.person_id}"
        remove_account(database, old, actor=by, reason="address-changed", now=here.now)


def _add(database: Session, person_id: str, check: View, here: Here) -> str:
    proven = is_proof(check)
    if proven:
        take_away_claims(
            database, check.address, keeper=person_id, now=here.now, entropy=here.entropy
        )
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


def _count(database: Session, person_id: str) -> int:
    return len(
        database.scalars(select(MailAccount.id).where(MailAccount.person_id == person_id)).all()
    )
