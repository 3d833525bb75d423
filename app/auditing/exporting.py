"""The audit as JSON lines: every entry with its place in the chain, for tools of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import AuditEntry, AuditLink
from protocol.encoding import b64u

BATCH: Final = 1_000


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
            yield _line(position, bytes(link), entry)
        last = rows[-1].position
        session.expunge_all()


def _line(position: int, link: bytes, entry: AuditEntry) -> bytes:
    facts: dict[str, Any] = {
        "position": position,
        "id": entry.id,
        "record": bytes(entry.record).decode(),
        "detail": entry.detail,
        "salt": None if entry.salt is None else b64u(bytes(entry.salt)),
        "hash": b64u(link),
    }
    return msgspec.json.encode(facts) + b"\n"
