"""A mail that proves an address: its reader types the code, signed in as whoever asked for it.

The code is made when the mail goes out and kept as a keyed tag only. It is good once, for this
person and this account, and every try is counted before it is looked at. No framework here.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from app.accounts import proof
from app.accounts.services import once_more
from app.audit import Act, record_own
from app.clock import HOUR, MINUTE
from app.database import Database
from app.keystore.sealing import Sealer
from app.models import MailAccount, MailChallenge, new_id
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.throttle import Throttles
from protocol.crockford import ALPHABET, encode_bits

MOST_TRIES: Final = 5
# From the moment at which the mail goes out; until then it may wait.
LIFETIME: Final = 30 * MINUTE
LONGEST_WAIT: Final = HOUR
LENGTH: Final = 8
_LABEL: Final = "address challenge"
_MEANT: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})


class NoAccountError(Exception):
    """The person has no such account, or no longer."""


class ProvenAlreadyError(Exception):
    """There is nothing left to prove."""


class NoChallengeError(Exception):
    """No code can be typed: none was sent, or its time or its tries are over."""


class WrongCodeError(Exception):
    """It is not the code; ``left`` says how many more may be tried."""

    def __init__(self, left: int) -> None:
        super().__init__(left)
        self.left: Final = left


@dataclass(frozen=True)
class Challenge:
    """How far it is: asked for, sent with a code, until when."""

    is_sent: bool
    expires_at: int
    left: int


def find(session: Session, person_id: str, account_id: str, *, now: int) -> Challenge | None:
    """Return the challenge that can still be answered or is on its way, if there is one."""
    row = session.scalar(_open(person_id, account_id, now).limit(1))
    if row is None:
        return None
    is_sent = row.token_hash is not None
    return Challenge(is_sent, row.expires_at, MOST_TRIES - row.attempts)


def ask(
    database: Database,
    person_id: str,
    account_id: str,
    *,
    now: int,
    entropy: Callable[[int], bytes],
) -> str:
    """Queue a mail with a new code, which ends the one before, and return its address.

    Raises NoAccountError, ProvenAlreadyError, AddressTakenError or TooManyError.
    """
    with database.write() as session:
        account = _account(session, person_id, account_id)
        if account.proven_at is not None:
            raise ProvenAlreadyError
        if proof.is_taken(session, account):
            raise proof.AddressTakenError(account.address)
        Throttles(database).count_challenge(session, person_id, account.address, now=now)
        session.execute(
            update(MailChallenge)
            .where(MailChallenge.account_id == account_id, MailChallenge.expires_at > now)
            .values(expires_at=now)
        )
        challenge = MailChallenge(
            id=new_id(entropy),
            person_id=person_id,
            account_id=account_id,
            token_hash=None,
            created_at=now,
            expires_at=now + LONGEST_WAIT,
        )
        session.add(challenge)
        queue(
            session,
            person_id=person_id,
            address=account.address,
            kind=MailKind.ADDRESS_CHALLENGE,
            facts={
                "challenge": challenge.id,
                "account": account.address,
                "account_id": account_id,
            },
            now=now,
            entropy=entropy,
        )
        record_own(session, Act.ADDRESS_CHALLENGED, person_id, account_id, now)
        return account.address


def give_code(
    session: Session,
    challenge_id: str,
    *,
    keys: Sealer,
    now: int,
    entropy: Callable[[int], bytes],
) -> str | None:
    """Make the code that a mail carries, as it is shown; None where nobody waits for it any more.

    A mail that is sent again carries a new one, and only the newest works.
    """
    code = encode_bits(int.from_bytes(entropy(5), "big"), 40)
    made_at = session.scalar(
        select(MailChallenge.created_at).where(MailChallenge.id == challenge_id)
    )
    if made_at is None:
        return None
    waiting = session.scalar(
        update(MailChallenge)
        .where(
            MailChallenge.id == challenge_id,
            MailChallenge.used_at.is_(None),
            MailChallenge.expires_at > now,
            MailChallenge.attempts < MOST_TRIES,
        )
        .values(token_hash=_tag(keys, challenge_id, code, made_at), expires_at=now + LIFETIME)
        .returning(MailChallenge.id)
    )
    return None if waiting is None else f"{code[:4]}-{code[4:]}"


def answer(
    database: Database,
    person_id: str,
    account_id: str,
    typed: str,
    *,
    keys: Sealer,
    here: proof.Here,
) -> str:
    """Prove the account by the code that was typed, and return its address.

    Raises NoChallengeError, WrongCodeError or AddressTakenError.
    """
    now = here.now
    with database.write() as session:
        # Counted and committed first: tries at the same time are no more tries.
        row = session.execute(
            update(MailChallenge)
            .where(
                MailChallenge.id.in_(
                    _open(person_id, account_id, now).with_only_columns(MailChallenge.id)
                ),
                MailChallenge.token_hash.is_not(None),
                MailChallenge.attempts < MOST_TRIES,
            )
            .values(attempts=MailChallenge.attempts + 1)
            .returning(
                MailChallenge.id,
                MailChallenge.token_hash,
                MailChallenge.attempts,
                MailChallenge.created_at,
            )
        ).first()
    if row is None:
        raise NoChallengeError
    expected = _tag(keys, row.id, _symbols(typed), row.created_at)
    if not hmac.compare_digest(expected, row.token_hash):
        raise WrongCodeError(MOST_TRIES - row.attempts)

    def work(session: Session) -> str:
        account = _account(session, person_id, account_id)
        # Nobody else's claim must slip in while this one is proven.
        database.queue_for(session, account.address)
        _use(session, row.id, now)
        proof.prove_by_challenge(session, account, here)
        _tell(session, account, here)
        return account.address

    return once_more(database, work)


def _use(session: Session, challenge_id: str, now: int) -> None:
    used = session.scalar(
        update(MailChallenge)
        .where(MailChallenge.id == challenge_id, MailChallenge.used_at.is_(None))
        .values(used_at=now)
        .returning(MailChallenge.id)
    )
    if used is None:
        raise NoChallengeError


def _tell(session: Session, account: MailAccount, here: proof.Here) -> None:
    """Tell the person at the address that they were known by, where the mail is no news."""
    known = session.scalar(
        select(MailAccount.address)
        .where(
            MailAccount.person_id == account.person_id,
            MailAccount.proven_at.is_not(None),
            MailAccount.id != account.id,
        )
        .order_by(MailAccount.created_at, MailAccount.id)
        .limit(1)
    )
    if known is not None:
        queue(
            session,
            person_id=account.person_id,
            address=known,
            kind=MailKind.ADDRESS_PROVEN,
            facts={"account": account.address},
            now=here.now,
            entropy=here.entropy,
        )


def _open(person_id: str, account_id: str, now: int) -> Select[MailChallenge]:
    return select(MailChallenge).where(
        MailChallenge.person_id == person_id,
        MailChallenge.account_id == account_id,
        MailChallenge.used_at.is_(None),
        MailChallenge.expires_at > now,
    )


def _account(session: Session, person_id: str, account_id: str) -> MailAccount:
    account = session.scalar(
        select(MailAccount)
        .where(MailAccount.id == account_id, MailAccount.person_id == person_id)
        .with_for_update()
    )
    if account is None:
        raise NoAccountError(account_id)
    return account


def _symbols(typed: str) -> str:
    """Return what was typed in the one spelling that a code has."""
    upper = "".join(each for each in typed.upper() if each.isalnum()).translate(_MEANT)
    return upper if len(upper) == LENGTH and set(upper) <= set(ALPHABET) else ""


def _tag(keys: Sealer, challenge_id: str, code: str, made_at: int) -> bytes:
    return keys.tag(_LABEL, challenge_id, code, at=made_at)
