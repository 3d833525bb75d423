"""The sealer: gives every new entry its place in the chain, and signs where the chain ends.

Entries are linked by their number. On PostgreSQL one may be committed after entries with higher
numbers; it is linked at the next place then, so that no place is ever given twice or taken back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import exists, func, insert, select
from sqlalchemy.orm import Session

from app.auditing import heads_file
from app.auditing.chain import START, Head, HeadFormatError, link_hash
from app.database import Database
from app.models import AuditEntry, AuditHead, AuditLink
from protocol.signing import SigningKey

BATCH: Final = 500
# How many numbers below the highest one linked are looked through for latecomers.
WINDOW: Final = 2_000
_QUEUE: Final = "audit sealer"


class ImpossibleNumberError(Exception):
    """An entry has a number that the database never gives, so it gets no place in the chain."""


class HeadsAheadError(Exception):
    """The heads file knows of a chain that the database does not have: nothing is signed on."""


def seal(
    database: Database, path: Path, key: SigningKey, *, now: int, everything: bool = False
) -> int:
    """Link a batch of entries, sign the new end, write it down outside; return how many.

    Safe to repeat and to run twice at once. ``everything`` looks for latecomers however late.
    Raises HeadsAheadError before anything is changed, and ImpossibleNumberError after the work.
    """
    with heads_file.opened(path) as file:
        try:
            last = file.last()
        except HeadFormatError as error:
            raise HeadsAheadError("the heads file does not end with a head") from error
        with database.write() as session:
            database.queue_for(session, _QUEUE)
            _compare(session, last)
            linked = _link(session, everything=everything)
            _sign(session, key, now)
        # After the commit: a head that the database lost would look like a chain cut short.
        with database.read() as session:
            file.append(_after(session, last))
            if linked < BATCH:
                _refuse_impossible(session)
    return linked


def _refuse_impossible(session: Session) -> None:
    """Complain of entries that only somebody who owns the database can have put there."""
    lowest = session.scalar(select(func.min(AuditEntry.id)))
    if lowest is not None and lowest <= 0:
        raise ImpossibleNumberError(f"the audit has an entry with the number {lowest}")


def _compare(session: Session, last: Head | None) -> None:
    """Refuse to go on from a chain that is not the one written down outside."""
    if last is None:
        return
    row = session.get(AuditHead, last.position)
    if row is None or row.hash != last.hash:
        raise HeadsAheadError(f"the database has no head {last.position} as the heads file does")


def _link(session: Session, *, everything: bool) -> int:
    end = session.execute(
        select(AuditLink.position, AuditLink.hash).order_by(AuditLink.position.desc()).limit(1)
    ).first()
    position, before = (0, START) if end is None else (end.position, bytes(end.hash))
    rows: list[dict[str, object]] = []
    for entry in _unlinked(session, everything=everything):
        position += 1
        before = link_hash(position, before, entry.id, bytes(entry.record))
        rows.append({"position": position, "audit_id": entry.id, "hash": before})
    if rows:
        session.execute(insert(AuditLink), rows)
    return len(rows)


def _unlinked(session: Session, *, everything: bool) -> Sequence[Any]:
    query = select(AuditEntry.id, AuditEntry.record).where(
        ~exists().where(AuditLink.audit_id == AuditEntry.id), AuditEntry.id > 0
    )
    if not everything:
        highest = session.scalar(select(func.max(AuditLink.audit_id))) or 0
        query = query.where(AuditEntry.id > highest - WINDOW)
    return session.execute(query.order_by(AuditEntry.id).limit(BATCH)).all()


def _sign(session: Session, key: SigningKey, now: int) -> None:
    """Sign the chain's end unless it is signed already."""
    link = session.scalar(select(AuditLink).order_by(AuditLink.position.desc()).limit(1))
    if link is None or session.get(AuditHead, link.position) is not None:
        return
    head = Head.sign(link.position, bytes(link.hash), at=now, key=key)
    session.add(
        AuditHead(
            position=head.position,
            hash=head.hash,
            at=head.at,
            key_id=head.key_id,
            signature=head.signature,
        )
    )


def _after(session: Session, last: Head | None) -> list[Head]:
    position = 0 if last is None else last.position
    rows = session.scalars(
        select(AuditHead).where(AuditHead.position > position).order_by(AuditHead.position)
    )
    return [
        Head(row.position, bytes(row.hash), row.at, row.key_id, bytes(row.signature))
        for row in rows
    ]
