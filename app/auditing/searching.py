"""Entries found by person, actor, act, thing and time, within an actor's reach, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session

from app.auditing.reading import detail_of
from app.models import AuditEntry, AuditHead, AuditLink, Person, PersonTerm, Reach
from app.people import conditions, terms
from app.people.things import owners_of
from app.people.timeline import names_of
from app.staff.reach import Actor, within

PER_PAGE: Final = 50
# So many people may fit what was searched for; more say nothing.
MOST_PEOPLE: Final = 200
BATCH: Final = 1_000


class TooManyPeopleError(Exception):
    """The text fits more people than anybody would look through."""


@dataclass(frozen=True)
class Wanted:
    """What is looked for; an empty text or None is anything."""

    person: str = ""
    actor: str = ""
    act: str = ""
    target: str = ""
    # Microseconds; the second one is not included any more.
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Place:
    """Between two entries of the list."""

    at: int
    id: int


@dataclass(frozen=True)
class Line:
    """One entry with the names that belong to its ids now."""

    id: int
    at: int
    actor: str
    act: str
    person_id: str | None
    # Their name or address; empty once they are deleted.
    person: str
    target: str | None
    facts: Mapping[str, str | int]
    is_erased: bool
    # Its place in the chain, None until the sealer comes by; whether a signed head is beyond it.
    position: int | None
    is_sealed: bool
    record: bytes
    detail: str | None
    salt: bytes | None
    hash: bytes | None


@dataclass(frozen=True)
class Page:
    """Some entries, the newest first, the names of who did them, and the ways on."""

    lines: tuple[Line, ...]
    names: Mapping[str, str]
    newer: Place | None
    older: Place | None


def search(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    *,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """Return a page of entries older than ``after``, or newer than ``before``, or the newest."""
    query = _query(session, actor, wanted).limit(PER_PAGE + 1)
    if before is not None:
        rows = session.execute(_rising(query.where(_key() > (before.at, before.id)))).all()
        shown = list(reversed(rows[:PER_PAGE]))
        has_newer, has_older = len(rows) > PER_PAGE, True
    else:
        if after is not None:
            query = query.where(_key() < (after.at, after.id))
        rows = session.execute(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc())).all()
        shown = list(rows[:PER_PAGE])
        has_newer, has_older = after is not None, len(rows) > PER_PAGE
    lines = _lines(session, shown)
    return Page(
        lines=tuple(lines),
        names=names_of(session, {line.actor for line in lines}),
        newer=Place(lines[0].at, lines[0].id) if lines and has_newer else None,
        older=Place(lines[-1].at, lines[-1].id) if lines and has_older else None,
    )


def every(session: Session, actor: Actor, wanted: Wanted) -> Iterator[tuple[Line, str]]:
    """Yield each entry and the name of who did it, the oldest first, some at a time."""
    query = _rising(_query(session, actor, wanted)).limit(BATCH)
    last = (-1, -1)
    while rows := session.execute(query.where(_key() > last)).all():
        lines = _lines(session, rows)
        names = names_of(session, {line.actor for line in lines})
        for line in lines:
            yield line, names.get(line.actor, "")
        last = (lines[-1].at, lines[-1].id)
        session.expunge_all()


def _key() -> Any:
    return tuple_(AuditEntry.at, AuditEntry.id)


def _rising(query: Any) -> Any:
    return query.order_by(AuditEntry.at, AuditEntry.id)


def _query(session: Session, actor: Actor, wanted: Wanted) -> Any:
    query: Any = select(AuditEntry, AuditLink.position, AuditLink.hash).outerjoin(
        AuditLink, AuditLink.audit_id == AuditEntry.id
    )
    return query.where(*_tests(session, actor, wanted))


def _tests(session: Session, actor: Actor, wanted: Wanted) -> list[ColumnElement[bool]]:
    tests: list[ColumnElement[bool]] = []
    if actor.reach != Reach.EVERYONE:
        # What concerns nobody, or nobody any more, is for those who may see everybody.
        tests.append(AuditEntry.subject_id.in_(select(Person.id).where(within(actor))))
    if wanted.person:
        tests.append(AuditEntry.subject_id.in_(find_people(session, wanted.person)))
    if wanted.actor:
        tests.append(AuditEntry.actor == wanted.actor)
    if wanted.act:
        tests.append(AuditEntry.act == wanted.act)
    if wanted.target:
        tests.append(AuditEntry.target == wanted.target)
    if wanted.since is not None:
        tests.append(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        tests.append(AuditEntry.at < wanted.until)
    return tests


def find_people(session: Session, text: str) -> Sequence[str]:
    """Return the ids of the people whom a text fits: by words, or by an id of theirs.

    Raises TooManyPeopleError.
    """
    owner = conditions.owner_of(session, text)
    if owner is not None:
        return [owner]
    words = terms.split(text)
    if len(text) in conditions.ID_LENGTHS and " " not in text and not words[1:]:
        # Somebody who is gone has nothing but their id.
        known = select(AuditEntry.subject_id).where(AuditEntry.subject_id == text).limit(1)
        if session.scalar(known) is not None:
            return [text]
    if not words:
        return []
    first, *more = words
    query = conditions.with_word(first).distinct().limit(MOST_PEOPLE + 1)
    for word in more:
        query = query.where(PersonTerm.person_id.in_(conditions.with_word(word)))
    found = session.scalars(query).all()
    if len(found) > MOST_PEOPLE:
        raise TooManyPeopleError
    return found


def _lines(session: Session, rows: Sequence[Any]) -> list[Line]:
    sealed_to = session.scalar(select(func.max(AuditHead.position))) or 0
    people = _names(session, {entry.subject_id for entry, _, _ in rows if entry.subject_id})
    return [_line(entry, position, link, people, sealed_to) for entry, position, link in rows]


def _line(
    entry: AuditEntry,
    position: int | None,
    link: bytes | None,
    people: Mapping[str, str],
    sealed_to: int,
) -> Line:
    return Line(
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        act=entry.act,
        person_id=entry.subject_id,
        person=people.get(entry.subject_id or "", ""),
        target=entry.target,
        facts=detail_of(entry),
        is_erased=entry.detail is None and b'"commitment":null' not in bytes(entry.record),
        position=position,
        is_sealed=position is not None and position <= sealed_to,
        record=bytes(entry.record),
        detail=entry.detail,
        salt=None if entry.salt is None else bytes(entry.salt),
        hash=None if link is None else bytes(link),
    )


def _names(session: Session, ids: set[str]) -> dict[str, str]:
    """Return what lists call each person who is still here."""
    owners = owners_of(session, sorted(ids))
    return {owner.id: owner.name or owner.address or owner.id for owner in owners.values()}
