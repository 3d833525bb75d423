"""Everything about the audit computed again, entry by entry, in memory that stays the same.

What somebody who owns the database could do shows as a fault: see ``Wrong``. Only what was never
linked, or what the heads file never knew of, can go without a trace; docs/audit.md has the rest.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from app.audit import Act, canonical_record
from app.auditing import heads_file
from app.auditing.chain import START, Head, link_hash
from app.clock import MINUTE
from app.database import Database
from app.keystore.provider import StoredKey
from app.models import AuditEntry, AuditHead, AuditLink, Person
from protocol.errors import VerificationError
from protocol.signing import SigningKey, VerifyKey

BATCH: Final = 2_000
# How long an entry may wait for the sealer, and a head for the file.
PATIENCE: Final = MINUTE
MOST_FAULTS: Final = 100
# How far away an entry is looked for that belongs here.
NEAR: Final = 1_000


class Wrong(StrEnum):
    """What is wrong at a place."""

    RECORD = "the record is not what was linked here"
    COLUMNS = "a column differs from the record"
    DETAIL = "the detail is not what the record commits to"
    ERASED = "the detail is gone although its person was not deleted"
    ENTRY_GONE = "the entry is gone"
    LINK_GONE = "the link is gone"
    ORDER = "another entry was linked here"
    UNLINKED = "the entry is not linked although it is older than a minute"
    FUTURE = "the entry is not linked and says that it will happen later than now"
    NUMBER = "the entry has a number that the database never gives"
    UNSIGNED = "the chain goes on beyond its last signed head"
    HEAD = "the signed head is of another chain"
    SIGNATURE = "the signature of the head is wrong"
    TAIL_GONE = "the chain ended later than it does now"
    FILE_AHEAD = "the heads file has a head beyond the chain's end"
    FILE_OTHER = "the heads file has a head of another chain"
    FILE_LINE = "the heads file has a line that is not a signed head"
    FILE_BEHIND = "the heads file lacks heads that are older than a minute"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, where in the chain (None: not in it), and at which entry."""

    wrong: Wrong
    position: int | None = None
    audit_id: int | None = None


@dataclass
class Report:
    """What was looked at, and the first faults that were found, in the chain's order."""

    entries: int = 0
    erased: int = 0
    unlinked: int = 0
    heads: int = 0
    lines: int = 0
    head: Head | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def add(self, wrong: Wrong, position: int | None = None, audit_id: int | None = None) -> None:
        """Note a fault, unless there are so many already that no more help."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(wrong, position, audit_id))


def verify(
    database: Database, keys: Sequence[StoredKey], *, heads: Path | None, now: int
) -> Report:
    """Compute everything again, and compare it with a heads file where there is one.

    The sealer may go on meanwhile: first the file's length is read, then all of the database as it
    is at one moment, which has every head that was in the file.
    """
    lines = None if heads is None else (heads, heads.stat().st_size)
    with database.snapshot() as session:
        return _Verifier(session, keys, now=now).run(lines)


class _Verifier:
    def __init__(self, session: Session, keys: Sequence[StoredKey], *, now: int) -> None:
        self._session: Final = session
        self._stored: Final = {}
        self._public: Final[dict[str, VerifyKey]] = {}
        for stored in keys:
            public = SigningKey.from_seed(stored.secret).verify_key
            self._stored[public.kid] = stored
            self._public[public.kid] = public
        self._now: Final = now
        self._before = START
        self._position = 0
        self._signed_to = 0
        self.report: Final = Report()

    def run(self, lines: tuple[Path, int] | None) -> Report:
        """Go through links, entries, heads and the file, and return what was found."""
        for links in _batches(self._session):
            signed = self._heads(links[0].position, links[-1].position)
            for link in links:
                self._link(link)
                if link.position in signed:
                    self._head(signed[link.position], bytes(link.hash))
        if self._signed_to < self._position:
            self.report.add(Wrong.UNSIGNED, self._position)
        self._tail()
        self._unlinked()
        if lines is not None:
            self._file(*lines)
        return self.report

    def _link(self, row: Any) -> None:
        self.report.entries += 1
        if row.position != self._position + 1:
            self.report.add(Wrong.LINK_GONE, self._position + 1)
        self._position = row.position
        if row.id is None:
            self.report.add(Wrong.ENTRY_GONE, row.position, row.audit_id)
        elif not self._fits(row, row.audit_id, bytes(row.record)):
            wrong = Wrong.ORDER if self._another_fits(row) else Wrong.RECORD
            self.report.add(wrong, row.position, row.audit_id)
        else:
            self._entry(row, row.position)
        # What follows is judged by what is written here, so that each fault is told once.
        self._before = bytes(row.hash)

    def _fits(self, link: Any, audit_id: int, record: bytes) -> bool:
        """Tell whether an entry is the one that was linked here."""
        expected = link_hash(link.position, self._before, audit_id, record)
        return hmac.compare_digest(expected, bytes(link.hash))

    def _another_fits(self, link: Any) -> bool:
        """Tell whether an entry near by was linked here, so that the two changed places."""
        near = select(AuditEntry.id, AuditEntry.record).where(
            AuditEntry.id.between(link.audit_id - NEAR, link.audit_id + NEAR)
        )
        return any(
            self._fits(link, one.id, bytes(one.record)) for one in self._session.execute(near)
        )

    def _entry(self, row: Any, position: int | None) -> None:
        """Compare an entry's columns and detail with its record."""
        salt = None if row.salt is None else bytes(row.salt)
        record = bytes(row.record)
        if record == _expected(row, (salt, row.detail)) and (salt is None) == (row.detail is None):
            return
        wrong = self._difference(row, record)
        if wrong is None:
            self.report.erased += 1
        else:
            self.report.add(wrong, position, row.id)

    def _difference(self, row: Any, record: bytes) -> Wrong | None:
        """Tell why a record is not what its row would make; None: the detail was erased."""
        committed = _commitment_in(record)
        if committed is None or record != _with_commitment(row, committed):
            return Wrong.DETAIL if record == _expected(row, (None, None)) else Wrong.COLUMNS
        if row.detail is not None or row.salt is not None:
            return Wrong.DETAIL
        return None if self._was_deleted(row) else Wrong.ERASED

    def _was_deleted(self, row: Any) -> bool:
        """Tell whether an erased entry is of somebody who was deleted after it, and is gone."""
        people = [row.subject_id, row.actor.removeprefix("person:")]
        deletions = select(*_COLUMNS, _IS_LINKED.label("is_linked")).where(
            AuditEntry.act == Act.PERSON_DELETED,
            AuditEntry.target.in_(filter(None, people)),
            AuditEntry.id > row.id,
            ~exists().where(Person.id == AuditEntry.target),
        )
        return any(
            _agrees(found) and (found.is_linked or self._is_recent(found))
            for found in self._session.execute(deletions)
        )

    def _is_recent(self, row: Any) -> bool:
        """Tell whether an entry is so young that it may still wait for the sealer."""
        return bool(row.id > 0 and abs(row.at - self._now) <= PATIENCE)

    def _heads(self, first: int, last: int) -> dict[int, AuditHead]:
        rows = self._session.scalars(
            select(AuditHead).where(AuditHead.position.between(first, last))
        )
        return {row.position: row for row in rows}

    def _head(self, row: AuditHead, link: bytes) -> None:
        head = Head(row.position, bytes(row.hash), row.at, row.key_id, bytes(row.signature))
        self.report.heads += 1
        if not self._is_signed(head):
            self.report.add(Wrong.SIGNATURE, head.position)
        elif head.hash != link:
            self.report.add(Wrong.HEAD, head.position)
        else:
            self._signed_to, self.report.head = head.position, head

    def _is_signed(self, head: Head) -> bool:
        """Tell whether an audit key that was in use at its time signed it."""
        stored = self._stored.get(head.key_id)
        if stored is None or not stored.is_current(head.at):
            return False
        try:
            head.verify(self._public[head.key_id])
        except VerificationError:
            return False
        return True

    def _tail(self) -> None:
        """Look for heads that are further on than the chain is."""
        beyond = self._session.scalar(
            select(func.max(AuditHead.position)).where(AuditHead.position > self._position)
        )
        if beyond is not None:
            self.report.add(Wrong.TAIL_GONE, beyond)

    def _unlinked(self) -> None:
        """Look at what has no place yet; what is older than a minute should have one."""
        query = select(*_COLUMNS).where(~_IS_LINKED).order_by(AuditEntry.id).limit(BATCH)
        rows = self._session.execute(query).all()
        while rows:
            for row in rows:
                self.report.unlinked += 1
                self._entry(row, None)
                if row.id <= 0:
                    self.report.add(Wrong.NUMBER, None, row.id)
                elif not self._is_recent(row):
                    is_old = row.at < self._now
                    self.report.add(Wrong.UNLINKED if is_old else Wrong.FUTURE, None, row.id)
            rows = self._session.execute(query.where(AuditEntry.id > rows[-1].id)).all()

    def _file(self, path: Path, size: int) -> None:
        """Compare the heads outside of the database with the chain."""
        last = 0
        for number, head in heads_file.read(path, size):
            self.report.lines += 1
            if head is None or not self._is_signed(head):
                self.report.add(Wrong.FILE_LINE, number)
                continue
            last = max(last, head.position)
            if head.position > self._position:
                self.report.add(Wrong.FILE_AHEAD, head.position)
            elif self._hash_at(head.position) != head.hash:
                self.report.add(Wrong.FILE_OTHER, head.position)
        head = self.report.head
        if head is not None and head.position > last and head.at < self._now - PATIENCE:
            self.report.add(Wrong.FILE_BEHIND, head.position)

    def _hash_at(self, position: int) -> bytes | None:
        found = self._session.scalar(select(AuditLink.hash).where(AuditLink.position == position))
        return None if found is None else bytes(found)


_COLUMNS: Final = (
    AuditEntry.id,
    AuditEntry.at,
    AuditEntry.actor,
    AuditEntry.act,
    AuditEntry.subject_id,
    AuditEntry.target,
    AuditEntry.record,
    AuditEntry.detail,
    AuditEntry.salt,
)
# A link outside of the chain, where nobody comes by, is none.
_IS_LINKED: Final = exists().where(AuditLink.audit_id == AuditEntry.id, AuditLink.position > 0)


def _batches(session: Session) -> Iterator[Sequence[Any]]:
    """Yield the links in order, each with its entry or Nones, some at a time."""
    query = (
        select(AuditLink.position, AuditLink.audit_id, AuditLink.hash, *_COLUMNS)
        .outerjoin(AuditEntry, AuditEntry.id == AuditLink.audit_id)
        .order_by(AuditLink.position)
        .limit(BATCH)
    )
    last = 0
    while rows := session.execute(query.where(AuditLink.position > last)).all():
        yield rows
        last = rows[-1].position


def _expected(row: Any, hashed: tuple[bytes | None, str | None]) -> bytes:
    return canonical_record(
        at=row.at,
        actor=row.actor,
        act=row.act,
        subject=row.subject_id,
        target=row.target,
        hashed=hashed,
    )


def _agrees(row: Any) -> bool:
    """Tell whether a record tells of its columns; its detail is another matter."""
    record = bytes(row.record)
    committed = _commitment_in(record)
    return record == (
        _expected(row, (None, None)) if committed is None else _with_commitment(row, committed)
    )


def _commitment_in(record: bytes) -> str | None:
    try:
        facts: Mapping[str, object] = json.loads(record)
        found = facts.get("commitment")
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def _with_commitment(row: Any, committed: str) -> bytes:
    """Return the record that the columns and this commitment would make."""
    without = _expected(row, (None, None))
    return without.replace(b'"commitment":null', f'"commitment":"{committed}"'.encode(), 1)
