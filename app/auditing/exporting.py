"""The audit as lines: every entry with its place in the chain, for tools of one's own.

CSV is for people with a spreadsheet, JSON lines are for programs, and whoever verifies the chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.auditing.searching import Line, Wanted, every
from app.bulk.spreadsheets import write_row
from app.clock import as_datetime
from app.models import AuditEntry, AuditLink
from app.staff.reach import Actor
from protocol.encoding import b64u

BATCH: Final = 1_000
COLUMNS: Final = (
    "position",
    "id",
    "at",
    "act",
    "actor",
    "actor_name",
    "person_id",
    "person",
    "target",
    "reason",
    "detail",
)


def chained_lines(session: Session) -> Iterator[bytes]:
    """Yield one line for each linked entry, in the chain's order, in memory that stays the same."""
    query = (
        select(AuditLink.position, AuditLink.hash, AuditEntry)
        .join(AuditEntry, AuditEntry.id == AuditLink.audit_id)
        .order_by(AuditLink.position)
        .limit(BATCH)
    )
    last = 0
    while rows := session.execute(query.where(AuditLink.position > last)).all():
        for position, link, entry in rows:
            salt = None if entry.salt is None else bytes(entry.salt)
            yield _json(position, entry.id, bytes(entry.record), entry.detail, salt, bytes(link))
        last = rows[-1].position
        session.expunge_all()


def json_lines(session: Session, actor: Actor, wanted: Wanted) -> Iterator[bytes]:
    """Yield the entries that somebody looked for as JSON lines, the oldest first."""
    for line, _ in every(session, actor, wanted):
        yield _json(line.position, line.id, line.record, line.detail, line.salt, line.hash)


def csv_lines(session: Session, actor: Actor, wanted: Wanted) -> Iterator[bytes]:
    """Yield the same as CSV; no spreadsheet takes a cell of it for a formula."""
    # The mark tells spreadsheets that it is UTF-8.
    yield b"\xef\xbb\xbf" + write_row(COLUMNS).encode()
    for line, actor_name in every(session, actor, wanted):
        yield write_row(_cells(line, actor_name)).encode()


def _cells(line: Line, actor_name: str) -> tuple[str, ...]:
    return (
        "" if line.position is None else str(line.position),
        str(line.id),
        as_datetime(line.at).isoformat(timespec="milliseconds"),
        line.act,
        line.actor,
        actor_name,
        line.person_id or "",
        line.person,
        line.target or "",
        str(line.facts.get("reason", "")),
        line.detail or "",
    )


def _json(
    position: int | None,
    audit_id: int,
    record: bytes,
    detail: str | None,
    salt: bytes | None,
    link: bytes | None,
) -> bytes:
    facts: dict[str, Any] = {
        "position": position,
        "id": audit_id,
        "record": record.decode(),
        "detail": detail,
        "salt": None if salt is None else b64u(salt),
        "hash": None if link is None else b64u(link),
    }
    return msgspec.json.encode(facts) + b"\n"
