"""What the worker counts: the audit's entries as they are linked, and what there is at present.

Entries are taken in the order of the chain. Their ids would not do: of two transactions the one
with the lower id may commit last, and would be passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.orm import Session

from app.audit import Act
from app.auditing.reading import detail_of
from app.clock import MINUTE
from app.database import Database
from app.mailservers.providers import by_domain
from app.models import Activation, AuditEntry, AuditLink, CountingState, MailPin
from app.statistics.names import (
    OTHER,
    UNKNOWN,
    WAITS,
    Daily,
    Ending,
    Step,
    class_of,
)
from app.statistics.tallying import Key, add, day_of

BATCH: Final = 500
# How often it is noted that the worker is there, when there is nothing to count.
LOOK: Final = MINUTE
ROW: Final = 1
STEPS: Final = {
    Act.ACTIVATION_REQUESTED: Step.LEFT_WAITING,
    Act.DOCUMENT_ISSUED: Step.ISSUED,
    Act.CODE_MADE: Step.ISSUED,
    Act.DEVICE_ACTIVATED: Step.ACTIVE,
    Act.ACTIVATION_ENDED: Step.ENDED,
}
ENDINGS: Final = {
    "person": Ending.BY_PERSON,
    "staff": Ending.BY_STAFF,
    "token": Ending.BY_STAFF,
    "operator": Ending.BY_OPERATOR,
}
_STATE: Final = cast("Table", CountingState.__table__)


def count_audit(database: Database, *, now: int) -> bool:
    """Count the next entries of the audit, each once; tell whether more are waiting.

    The counts and how far they go change in one transaction. If somebody else counted these
    entries meanwhile, nothing changes here.
    """
    with database.read() as session:
        state = session.get(CountingState, ROW)
        position = 0 if state is None else state.position
        entries = _next(session, position)
        counts = _counts(session, [entry for _, entry in entries])
    if state is None:
        _begin(database, now)
    elif not entries and now - state.looked_at < LOOK:
        return False
    reached = max((place for place, _ in entries), default=position)
    with database.write_connection() as connection:
        moved = connection.execute(
            update(_STATE)
            .where(_STATE.c.id == ROW, _STATE.c.position == position)
            .values(position=reached, looked_at=now)
        )
        if moved.rowcount == 1:
            add(connection, counts)
    return len(entries) == BATCH


def _begin(database: Database, now: int) -> None:
    with database.write_connection() as connection:
        there = connection.execute(select(func.count()).select_from(_STATE)).scalar_one()
        if not there:
            connection.execute(
                insert(_STATE).values(id=ROW, position=0, looked_at=now, present_at=None)
            )


def _next(session: Session, position: int) -> list[tuple[int, AuditEntry]]:
    rows = session.execute(
        select(AuditLink.position, AuditEntry)
        .join(AuditEntry, AuditEntry.id == AuditLink.audit_id)
        .where(AuditLink.position > position)
        .order_by(AuditLink.position)
        .limit(BATCH)
    )
    return [(place, entry) for place, entry in rows]


def _counts(session: Session, entries: Sequence[AuditEntry]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    waits = _waits(session, entries)
    pinned = frozenset(session.scalars(select(MailPin.domain)))
    for entry in entries:
        day = day_of(entry.at)
        step = STEPS.get(cast("Act", entry.act))
        if step is not None:
            counts[day, Daily.ACTIVATIONS.value, step.value] += 1
        if step is Step.ENDED:
            counts[day, Daily.ENDED.value, _ending(entry).value] += 1
        if step is Step.ACTIVE and entry.target in waits:
            counts[day, Daily.WAITED.value, waits[entry.target]] += 1
        if entry.act == Act.SIGN_IN_FAILED:
            detail = detail_of(entry)
            counts[day, Daily.FAILED.value, str(detail.get("cause", UNKNOWN))[:100]] += 1
            where = provider_of(str(detail.get("account", "")), pinned)
            counts[day, Daily.FAILED_AT.value, where] += 1
    return counts


def _ending(entry: AuditEntry) -> Ending:
    """Return why an activation ended: its time was over, or somebody ended it."""
    by_itself = detail_of(entry).get("ended")
    if by_itself in {Ending.EXPIRED, Ending.BURNT}:
        return Ending(by_itself)
    return ENDINGS.get(entry.actor.partition(":")[0], Ending.BY_SYSTEM)


def provider_of(address: str, pinned: Iterable[str]) -> str:
    """Return whose mailbox an address is, as far as a page for staff may say so.

    A domain is told only if the operator pinned it: a domain of one's own names its owner.
    """
    domain = address.rpartition("@")[2]
    if domain in pinned:
        return f"domain:{domain}"[:100]
    provider = by_domain(domain)
    return OTHER if provider is None else f"provider:{provider.key}"


def _waits(session: Session, entries: Sequence[AuditEntry]) -> dict[str, str]:
    """Return for each activated activation how long it was since it was first asked for."""
    ids = [entry.target for entry in entries if entry.act == Act.DEVICE_ACTIVATED]
    if not ids:
        return {}
    made = select(
        Activation.id, Activation.created_at, Activation.redeemed_at, Activation.person_id
    ).where(Activation.id.in_(ids))
    redeemed = [row for row in session.execute(made) if row.redeemed_at is not None]
    earlier = _replaced(session, {row.person_id for row in redeemed})
    return {
        row.id: class_of(WAITS, row.redeemed_at - _first_asked(row, earlier)) for row in redeemed
    }


def _replaced(session: Session, people: set[str]) -> dict[str, list[tuple[str, int]]]:
    """Return what was replaced, by what took its place: a document takes a waiting one's."""
    rows = session.execute(
        select(Activation.id, Activation.successor_id, Activation.created_at).where(
            Activation.person_id.in_(people), Activation.successor_id.is_not(None)
        )
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row.successor_id, []).append((row.id, row.created_at))
    return found


def _first_asked(row: Any, earlier: dict[str, list[tuple[str, int]]]) -> int:
    first, look_at, seen = row.created_at, [row.id], {row.id}
    while look_at:
        for one, created_at in earlier.get(look_at.pop(), ()):
            first = min(first, created_at)
            if one not in seen:
                seen.add(one)
                look_at.append(one)
    return int(first)
