"""Throttles: counters in the database, so that a restart does not forgive.

An address counts by itself (IPv4) or by its /64 (IPv6). An account counts per address and in
whole; an address that has signed in to the account before is let through the second limit, so
that somebody who guesses from elsewhere cannot lock the owner out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from app.addresses import sender
from app.clock import DAY, HOUR, MINUTE
from app.database import Database
from app.models import Throttle


@dataclass(frozen=True)
class Limit:
    """At most ``count`` acts in one window of ``window`` microseconds."""

    name: str
    count: int
    window: int


PER_ADDRESS: Final = Limit("address", 60, 15 * MINUTE)
# Every request of one client of the API.
PER_SESSION: Final = Limit("session", 600, 15 * MINUTE)
# Every request with one token of the administration's API, whose programs act for many people.
PER_TOKEN: Final = Limit("token", 3000, 15 * MINUTE)
PER_ACCOUNT_AND_ADDRESS: Final = Limit("account-address", 10, 15 * MINUTE)
PER_ACCOUNT: Final = Limit("account", 40, 15 * MINUTE)
# Mail with a code, to one mail address and for one person: nobody floods somebody's mailbox, and
# nobody alone uses up what others may ask for.
PER_CHALLENGED_ADDRESS: Final = Limit("challenged", 6, HOUR)
PER_CHALLENGER_AND_ADDRESS: Final = Limit("challenger-challenged", 3, HOUR)
PER_CHALLENGER: Final = Limit("challenger", 10, HOUR)
# Codes to type, which a person makes, and which staff make for one person: each leads to mail.
PER_CODE_MAKER: Final = Limit("codes-own", 10, HOUR)
PER_CODES_BY_STAFF: Final = Limit("codes-by-staff", 10, HOUR)
# How long an address that signed in counts as the owner's.
KNOWN: Final = Limit("known", 1, 90 * DAY)


@dataclass(frozen=True)
class Quota:
    """What is left of a limit after an act, and until when."""

    limit: Limit
    left: int
    resets_at: int


class TooManyError(Exception):
    """The limit is reached; ``retry_at`` says when to try again."""

    def __init__(self, retry_at: int, quota: Quota | None = None) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at
        self.quota = quota


class Throttles:
    """The counters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count_request(self, client: str, *, now: int) -> Quota:
        """Count one act of an address, or raise TooManyError."""
        return self.count(PER_ADDRESS, sender(client), now=now)

    def left_of_address(self, client: str, *, now: int) -> Quota:
        """Tell what is left of an address's acts, counting none."""
        return self.left(PER_ADDRESS, sender(client), now=now)

    def left(self, limit: Limit, subject: str, *, now: int) -> Quota:
        """Tell what is left of any limit, counting nothing."""
        query = select(Throttle.count, Throttle.resets_at).where(
            Throttle.bucket == _bucket(limit, subject), Throttle.resets_at > now
        )
        with self._database.read() as session:
            row = session.execute(query).first()
        count, resets_at = (0, now + limit.window) if row is None else row
        return Quota(limit, max(0, limit.count - count), resets_at)

    def count(self, limit: Limit, subject: str, *, now: int) -> Quota:
        """Count one act towards any limit, or raise TooManyError."""
        with self._database.write() as session:
            count, resets_at = _add(session, limit, subject, now=now)
        quota = Quota(limit, max(0, limit.count - count), resets_at)
        if count > limit.count:
            raise TooManyError(resets_at, quota)
        return quota

    def count_session(self, session_id: str, *, now: int) -> Quota:
        """Count one request of an API client's session, or raise TooManyError."""
        return self.count(PER_SESSION, session_id, now=now)

    def count_credential(self, account: str, client: str, *, now: int) -> None:
        """Count one credential given for an account, or raise TooManyError."""
        near = f"{account} {sender(client)}"
        with self._database.write() as session:
            retry_at = _taken(session, PER_ACCOUNT_AND_ADDRESS, near, now=now)
            if retry_at is None and not self._is_known(session, near, now=now):
                retry_at = _taken(session, PER_ACCOUNT, account, now=now)
        if retry_at is not None:
            raise TooManyError(retry_at)

    def count_challenge(self, session: Session, person: str, address: str, *, now: int) -> None:
        """Count one mail with a code, or raise TooManyError, which ends the transaction."""
        # Who has had enough leaves the address's own count as it was.
        take(session, PER_CHALLENGER_AND_ADDRESS, f"{person} {address}", now=now)
        take(session, PER_CHALLENGER, person, now=now)
        take(session, PER_CHALLENGED_ADDRESS, address, now=now)

    def forgive(self, session: Session, account: str, client: str, *, now: int) -> None:
        """After a good sign-in: clear the counter, and remember the address as the owner's."""
        near = f"{account} {sender(client)}"
        session.execute(
            delete(Throttle).where(Throttle.bucket == _bucket(PER_ACCOUNT_AND_ADDRESS, near))
        )
        session.execute(delete(Throttle).where(Throttle.bucket == _bucket(KNOWN, near)))
        _taken(session, KNOWN, near, now=now)

    def _is_known(self, session: Session, near: str, *, now: int) -> bool:
        known = select(Throttle.resets_at).where(
            Throttle.bucket == _bucket(KNOWN, near), Throttle.resets_at > now
        )
        return session.scalar(known) is not None


def take(session: Session, limit: Limit, subject: str, *, now: int) -> None:
    """Count one act in the caller's transaction, or raise TooManyError, which ends it."""
    retry_at = _taken(session, limit, subject, now=now)
    if retry_at is not None:
        raise TooManyError(retry_at)


def _taken(session: Session, limit: Limit, subject: str, *, now: int) -> int | None:
    count, resets_at = _add(session, limit, subject, now=now)
    return resets_at if count > limit.count else None


def _add(session: Session, limit: Limit, subject: str, *, now: int) -> tuple[int, int]:
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    fresh = (insert_sqlite if is_sqlite else insert_postgresql)(Throttle).values(
        bucket=_bucket(limit, subject), count=1, resets_at=now + limit.window
    )
    over = Throttle.resets_at <= now
    counted = fresh.on_conflict_do_update(
        index_elements=[Throttle.bucket],
        set_={
            "count": case((over, 1), else_=Throttle.count + 1),
            "resets_at": case((over, now + limit.window), else_=Throttle.resets_at),
        },
    ).returning(Throttle.count, Throttle.resets_at)
    count, resets_at = session.execute(counted).one()
    return int(count), int(resets_at)


def _bucket(limit: Limit, subject: str) -> str:
    # Hashed: the table is no list of who signs in from where, and the name has a fixed length.
    return f"{limit.name}:{hashlib.sha256(subject.encode()).hexdigest()}"
