"""The sweeper: removes what has expired, since nothing else does when there is no traffic.

Every step of the exchange checks the time itself; the sweeper only makes sure that no secret
outlives its use. It works in small transactions, so that nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, Select, delete, select, tuple_, update

from app.activation.confirmation import expire_unconfirmed, overdue
from app.activation.ending import By, kill, kill_told
from app.clock import DAY
from app.crashpoints import crashpoint
from app.exchange.statements import MAX_ATTEMPTS
from app.models import ActivationState, GrantState, MailCheck, Throttle, WebSession
from app.models.tables import ACTIVATION, DEVICE, RUN, SERVICE_GRANT
from app.statistics.names import Ending

if TYPE_CHECKING:
    from app.clock import Clock
    from app.database import Database

BATCH: Final = 200
ANSWER_LIFETIME: Final = 7 * DAY


@dataclass(frozen=True)
class Swept:
    """How many of each were removed."""

    passwords: int = 0
    activations: int = 0
    devices: int = 0
    documents: int = 0
    runs: int = 0
    replies: int = 0
    answers: int = 0
    rotations: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        """Everything together."""
        return sum(vars(self).values())


def sweep(database: Database, clock: Clock) -> Swept:
    """Remove everything whose time is over; raise DatabaseUnavailableError to try again later."""
    now = clock.now()
    swept = Swept(
        passwords=_end_stock(database, now),
        activations=_expire_activations(database, now),
        devices=_expire_unconfirmed(database, now),
        documents=_forget_prs(database, now),
        runs=_forget_run_secrets(database, now),
        replies=_delete_runs(database, now),
        answers=_forget_answers(database, now),
        rotations=_delete_dead_rotations(database, now),
        other=_delete_other(database, now),
    )
    crashpoint("sweep.deleted")
    _overwrite(database)
    return swept


def _end_stock(database: Database, now: int) -> int:
    due = (SERVICE_GRANT.c.state == GrantState.STOCKED) & (SERVICE_GRANT.c.expires_at <= now)
    change = update(SERVICE_GRANT).values(state=GrantState.DEAD, password_sealed=None)
    return _in_batches(
        database,
        select(SERVICE_GRANT.c.id).where(due),
        lambda connection, ids: (
            connection.execute(change.where(due, SERVICE_GRANT.c.id.in_(ids))).rowcount
        ),
    )


def _expire_activations(database: Database, now: int) -> int:
    due = (ACTIVATION.c.state == ActivationState.OPEN) & (ACTIVATION.c.expires_at <= now)
    return _in_batches(
        database,
        select(ACTIVATION.c.id).where(due),
        lambda connection, ids: _expire(connection, ids, now),
    )


def _expire(connection: Connection, ids: list[str], now: int) -> int:
    """Kill them, and tell why; a rotation's end is the key's affair and told of with it."""
    is_burnt = (ACTIVATION.c.attempts >= MAX_ATTEMPTS).label("is_burnt")
    of_key = ACTIVATION.c.rotates_key_id.is_not(None).label("of_key")
    rows = connection.execute(
        select(ACTIVATION.c.id, is_burnt, of_key).where(ACTIVATION.c.id.in_(ids))
    ).all()
    killed = kill(connection, [row.id for row in rows if row.of_key], reason="expired")
    for ending in (Ending.EXPIRED, Ending.BURNT):
        theirs = [row.id for row in rows if not row.of_key and row.is_burnt == (ending == "burnt")]
        by = By(now, "system", detail={"ended": ending.value})
        killed += kill_told(connection, theirs, by, reason="expired")
    return len(killed)


def _expire_unconfirmed(database: Database, now: int) -> int:
    """End the keys of devices that their owners did not confirm in time."""
    return _in_batches(
        database,
        select(DEVICE.c.id).where(overdue(now)),
        lambda connection, ids: sum(expire_unconfirmed(connection, one, now=now) for one in ids),
    )


def _forget_prs(database: Database, now: int) -> int:
    due = ACTIVATION.c.prs_sealed.is_not(None) & (ACTIVATION.c.document_expires_at <= now)
    return _forget(database, due, {"prs_sealed": None})


def _forget_answers(database: Database, now: int) -> int:
    due = ACTIVATION.c.complete.is_not(None) & (ACTIVATION.c.redeemed_at <= now - ANSWER_LIFETIME)
    return _forget(database, due, {"complete": None, "confirm_hash": None})


def _forget(database: Database, due: ColumnElement[bool], values: dict[str, None]) -> int:
    change = update(ACTIVATION).values(**values)
    return _in_batches(
        database,
        select(ACTIVATION.c.id).where(due),
        lambda connection, ids: (
            connection.execute(change.where(due, ACTIVATION.c.id.in_(ids))).rowcount
        ),
    )


def _forget_run_secrets(database: Database, now: int) -> int:
    due = RUN.c.secrets_sealed.is_not(None) & (RUN.c.expires_at <= now)
    change = update(RUN).values(secrets_sealed=None)
    return _in_batches(
        database,
        select(RUN.c.activation_id, RUN.c.run).where(due),
        lambda connection, ids: (
            connection.execute(
                change.where(due, tuple_(RUN.c.activation_id, RUN.c.run).in_(ids))
            ).rowcount
        ),
    )


def _delete_runs(database: Database, now: int) -> int:
    due = RUN.c.expires_at <= now - ANSWER_LIFETIME
    return _in_batches(
        database,
        select(RUN.c.activation_id, RUN.c.run).where(due),
        lambda connection, ids: (
            connection.execute(
                delete(RUN).where(due, tuple_(RUN.c.activation_id, RUN.c.run).in_(ids))
            ).rowcount
        ),
    )


def _delete_dead_rotations(database: Database, now: int) -> int:
    """Delete rotations that led to no key: no page shows them, and a device can make many.

    One that made a key stays as long as its key, which its device may ask about at any time.
    """
    due = (
        ACTIVATION.c.rotates_key_id.is_not(None)
        & (ACTIVATION.c.state == ActivationState.DEAD)
        & (ACTIVATION.c.expires_at <= now - ANSWER_LIFETIME)
    )
    return _in_batches(database, select(ACTIVATION.c.id).where(due), _delete_rotations)


def _delete_rotations(connection: Connection, ids: list[str]) -> int:
    # Dead is for good, so nothing has to be checked again.
    connection.execute(delete(RUN).where(RUN.c.activation_id.in_(ids)))
    connection.execute(delete(SERVICE_GRANT).where(SERVICE_GRANT.c.activation_id.in_(ids)))
    return connection.execute(delete(ACTIVATION).where(ACTIVATION.c.id.in_(ids))).rowcount


def _delete_other(database: Database, now: int) -> int:
    """Delete mail checks, sessions and throttles whose time is over."""
    statements = (
        delete(MailCheck).where(MailCheck.expires_at <= now),
        delete(WebSession).where(WebSession.expires_at <= now),
        delete(Throttle).where(Throttle.resets_at <= now),
    )
    deleted = 0
    for statement in statements:
        with database.write_connection() as connection:
            deleted += connection.execute(statement).rowcount
    return deleted


def _in_batches(
    database: Database,
    due: Select[Any],
    change: Callable[[Connection, list[Any]], int],
) -> int:
    """Look without a lock, then change in short transactions, each checking its condition again."""
    changed = 0
    while True:
        with database.read_connection() as connection:
            rows = connection.execute(due.limit(BATCH)).all()
        if not rows:
            return changed
        ids = [row[0] if len(row) == 1 else tuple(row) for row in rows]
        with database.write_connection() as connection:
            changed += change(connection, ids)


def _overwrite(database: Database) -> None:
    """Empty SQLite's log, where deleted bytes still are; deleted places are zeroed already.

    A redemption deletes too, so this is done whether or not the sweep itself found anything.
    """
    if database.is_sqlite:
        with database.look_up() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
