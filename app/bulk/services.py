"""Lists of people: made, looked at, taken, cancelled. The work itself is the worker's."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.bulk import problems
from app.bulk.checking import SERVICE, end
from app.bulk.problems import Found, Problem
from app.bulk.reading import Line
from app.clock import DAY, Clock
from app.database import Database, changed
from app.models import ApiToken, ImportJob, ImportLine, ImportState, Staff, new_id
from app.provisioning.acts import usable_reason
from app.rights import Permission
from app.staff.reach import Actor

MOST_STOCK: Final = 5
# What people wrote into a list is kept no longer than it takes to mend it.
KEPT: Final = 7 * DAY
# As the columns of the table hold it; a longer field has its own problem.
_LONGEST: Final = {"address": 320, "name": 100, "services": 100, "groups": 4096, "language": 16}
_TOO_LONG: Final = {
    "address": Problem.ADDRESS_BAD,
    "name": Problem.NAME_LONG,
    "services": Problem.SERVICES_LONG,
    "groups": Problem.GROUPS_LONG,
    "language": Problem.LANGUAGE_UNKNOWN,
}
_BATCH: Final = 2000
_OVER: Final = (
    ImportState.DONE,
    ImportState.REFUSED,
    ImportState.CANCELLED,
    ImportState.FAILED,
)


class NoJobError(Exception):
    """There is no such list."""


class WrongStateError(Exception):
    """The list is not in the state for it: somebody else was first, or it has problems."""


@dataclass(frozen=True)
class JobView:
    """One list, and how far it is."""

    id: str
    made_by: str
    # The name of whoever it is, as far as it is known.
    maker: str
    state: ImportState
    reason: str
    stock: int
    lines: int
    done: int
    problems: int
    created_at: int
    ended_at: int | None
    failure: str | None

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more happens with it."""
        return self.state in _OVER

    @property
    def is_moving(self) -> bool:
        """Tell whether the worker has something to do with it."""
        return not self.is_over and self.state != ImportState.CHECKED


@dataclass(frozen=True)
class WrongLine:
    """A line with what is wrong with it."""

    line: int
    address: str
    name: str
    problems: Sequence[Found]


def make(
    session: Session,
    actor: Actor,
    lines: Iterable[Line],
    *,
    reason: str,
    stock: int = 0,
    is_taken_at_once: bool = False,
    now: int,
    entropy: Callable[[int], bytes],
) -> str:
    """Write a list down for the worker to check, audited; return its id.

    Raises ReasonError, and what ``lines`` raises: then the caller's transaction ends. ``stock`` is
    how many passwords to make ahead for each service, 0 to MOST_STOCK.
    """
    job = ImportJob(
        id=new_id(entropy),
        made_by=actor.actor,
        state=ImportState.CHECKING,
        reason=usable_reason(reason),
        stock=stock,
        is_taken_at_once=is_taken_at_once,
        lines=0,
        created_at=now,
    )
    session.add(job)
    session.flush()
    count = 0
    for batch in _batches(lines):
        session.connection().execute(insert(ImportLine), [_row(job.id, line) for line in batch])
        count += len(batch)
    job.lines = count
    detail: dict[str, str | int] = {"lines": count, "reason": job.reason}
    record(session, at=now, actor=actor.actor, act=Act.LIST_UPLOADED, target=job.id, detail=detail)
    if is_taken_at_once:
        _note_ordered(session, actor, job, now)
    return job.id


def take(session: Session, actor: Actor, job_id: str, *, now: int) -> None:
    """Let a checked list be taken; raise WrongStateError, or the job is not the actor's."""
    _require(find(session, actor, job_id))
    taken = session.execute(
        update(ImportJob)
        .where(
            ImportJob.id == job_id,
            ImportJob.state == ImportState.CHECKED,
            ImportJob.problems == 0,
        )
        .values(state=ImportState.IMPORTING, done=0, cursor=None)
    )
    if changed(taken) != 1:
        raise WrongStateError
    _note_ordered(session, actor, session.get_one(ImportJob, job_id), now)


def cancel(session: Session, actor: Actor, job_id: str, *, now: int) -> None:
    """End a list that was not taken yet; raise WrongStateError."""
    _require(find(session, actor, job_id))
    job = session.get_one(ImportJob, job_id)
    is_early = job.state in {ImportState.CHECKING, ImportState.CHECKED}
    if not is_early or not end(session, job, ImportState.CANCELLED, actor.actor, now=now):
        raise WrongStateError


def find(session: Session, actor: Actor, job_id: str) -> JobView | None:
    """Return one list that the actor may see."""
    row = session.scalar(select(ImportJob).where(ImportJob.id == job_id, _seen_by(actor)))
    return None if row is None else _views(session, [row])[0]


def list_jobs(
    session: Session, actor: Actor, *, after: str | None = None, limit: int = 50
) -> list[JobView]:
    """Return the lists that the actor may see, the newest first.

    Raises NoJobError where ``after`` is none.
    """
    query = (
        select(ImportJob)
        .where(_seen_by(actor))
        .order_by(ImportJob.created_at.desc(), ImportJob.id)
        .limit(limit)
    )
    if after is not None:
        begin = session.get(ImportJob, after)
        if begin is None:
            raise NoJobError(after)
        at = ImportJob.created_at
        query = query.where(
            or_(at < begin.created_at, and_(at == begin.created_at, ImportJob.id > after))
        )
    return _views(session, session.scalars(query).all())


def wrong_lines(
    session: Session, job_id: str, *, after: int = 0, limit: int = 100
) -> list[WrongLine]:
    """Return the lines with problems after a line, in order."""
    rows = session.execute(
        select(ImportLine.line, ImportLine.address, ImportLine.name, ImportLine.problem)
        .where(
            ImportLine.job_id == job_id,
            ImportLine.problem.is_not(None),
            ImportLine.line > after,
        )
        .order_by(ImportLine.line)
        .limit(limit)
    ).all()
    return [WrongLine(row.line, row.address, row.name, problems.read(row.problem)) for row in rows]


def forget_lines(database: Database, clock: Clock) -> None:
    """Delete the lines of old lists, in short transactions; end what nobody took."""
    before = clock.now() - KEPT
    has_lines = exists().where(ImportLine.job_id == ImportJob.id)
    with database.read() as session:
        old = session.scalars(
            select(ImportJob).where(ImportJob.created_at <= before, has_lines)
        ).all()
    for job in old:
        if job.state in {ImportState.CHECKING, ImportState.CHECKED}:
            with database.write() as session:
                end(session, job, ImportState.CANCELLED, SERVICE, now=clock.now())
        if job.state not in {ImportState.IMPORTING, ImportState.STOCKING}:
            while _delete_some(database, job.id):
                pass


def _note_ordered(session: Session, actor: Actor, job: ImportJob, now: int) -> None:
    """Audit who wanted a list taken, who need not be its maker; the worker takes it later."""
    record(
        session,
        at=now,
        actor=actor.actor,
        act=Act.LIST_ORDERED,
        target=job.id,
        detail={"lines": job.lines, "reason": job.reason},
    )


def _row(job_id: str, line: Line) -> dict[str, Any]:
    fields = {name: getattr(line, name) for name in _LONGEST}
    found = list(line.problems)
    for name, longest in _LONGEST.items():
        if len(fields[name]) > longest:
            fields[name] = fields[name][:longest]
            found.append(Found(_TOO_LONG[name]))
    return {
        "job_id": job_id,
        "line": line.number,
        **fields,
        "problem": problems.write(found),
    }


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    remaining = iter(lines)
    while batch := list(itertools.islice(remaining, _BATCH)):
        yield batch


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """Return whose lists somebody may see: theirs and their tokens'; who manages staff sees all."""
    if actor.may(Permission.STAFF_MANAGE):
        return true()
    tokens = select(literal("token:") + ApiToken.id).where(ApiToken.staff_id == actor.staff_id)
    own = (actor.actor, f"staff:{actor.staff_id}")
    return or_(ImportJob.made_by.in_(own), ImportJob.made_by.in_(tokens))


def _views(session: Session, rows: Sequence[ImportJob]) -> list[JobView]:
    named = {row.id: row.name for row in session.execute(select(Staff.id, Staff.name))}
    return [
        JobView(
            id=row.id,
            made_by=row.made_by,
            maker=named.get(row.made_by.partition(":")[2], ""),
            state=ImportState(row.state),
            reason=row.reason,
            stock=row.stock,
            lines=row.lines,
            done=row.done,
            problems=row.problems,
            created_at=row.created_at,
            ended_at=row.ended_at,
            failure=row.failure,
        )
        for row in rows
    ]


def _require(view: JobView | None) -> None:
    if view is None:
        raise WrongStateError


def _delete_some(database: Database, job_id: str) -> bool:
    with database.write() as session:
        some = select(ImportLine.line).where(ImportLine.job_id == job_id).limit(_BATCH)
        lines = session.scalars(some).all()
        session.execute(
            delete(ImportLine).where(ImportLine.job_id == job_id, ImportLine.line.in_(lines))
        )
    return bool(lines)
