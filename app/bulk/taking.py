"""A checked list is taken: whole or not at all, in one transaction.

The rows are made before it begins, since on SQLite everybody else waits while it lasts. What was
right at the dry run may be wrong by now: then nothing is made, and the lines say why. A worker that
dies on the way has changed nothing; the next one begins again.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.bulk.bulk_insert import insert_rows, room_for_pages
from app.bulk.checking import MAKER_GONE, SERVICE, end, keep_problems, taken, usable_groups
from app.bulk.fields import Fields, understand
from app.bulk.makers import MakerGoneError, maker
from app.bulk.problems import Found, Problem
from app.bulk.rows import COLUMNS, Row, Terms, ids_in_order, rows_of
from app.bulk.shelf import Shelf
from app.clock import Clock
from app.config import Config
from app.database import Database, changed
from app.models import ImportJob, ImportLine, ImportState, MailAccount
from app.provisioning.acts import who
from app.staff.reach import Actor

PORTION: Final = 1000
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Worker:
    """What taking a list needs."""

    database: Database
    config: Config
    clock: Clock
    entropy: Callable[[int], bytes]


class GroupsChangedError(Exception):
    """A group was made, renamed or removed at this moment; the next attempt sees which."""


class _RefusedError(Exception):
    """Something changed since the dry run; what is wrong with which line."""

    def __init__(self, found: Mapping[int, Sequence[Found]]) -> None:
        super().__init__(len(found))
        self.found = found


def take_one(here: Worker) -> bool:
    """Take the oldest list that waits for it; tell whether there was one."""
    with here.database.read() as session:
        job = session.scalar(
            select(ImportJob)
            .where(ImportJob.state == ImportState.IMPORTING)
            .order_by(ImportJob.created_at, ImportJob.id)
            .limit(1)
        )
    if job is None:
        return False
    try:
        _take(here, job)
    except MakerGoneError:
        with here.database.write() as session:
            now = here.clock.now()
            end(session, job, ImportState.FAILED, SERVICE, now=now, failure=MAKER_GONE)
    except _RefusedError as refused:
        _refuse(here, job, refused.found)
    return True


def _take(here: Worker, job: ImportJob) -> None:
    now = here.clock.now()
    with here.database.read() as session:
        actor = maker(session, job.made_by, now=now)
        groups = usable_groups(session, actor)
        told_by = who(session, actor)
    terms = Terms(job.id, job.made_by, told_by, job.reason, now, here.config, here.entropy)
    with Shelf(tuple(COLUMNS)) as shelf:
        _make_rows(here, job, groups, terms, shelf)
        began = time.monotonic()
        with here.database.write() as session:
            _write(session, job, actor, groups, shelf, now)
        # How long SQLite's only writer was held is what operators of large lists want to know.
        _LOG.info("list of %d lines taken in %.1f s", job.lines, time.monotonic() - began)


def _make_rows(
    here: Worker, job: ImportJob, groups: Mapping[str, str], terms: Terms, shelf: Shelf
) -> None:
    ids, done = ids_in_order(job.lines, here.entropy), 0
    for portion in _portions(here.database, job.id):
        made: dict[str, list[Row]] = {table: [] for table in COLUMNS}
        unknown: dict[int, list[Found]] = {}
        for line, fields in portion:
            missing = [one for one in fields.groups if one not in groups]
            if missing:
                unknown[line] = [Found(Problem.GROUP_UNKNOWN, one[:100]) for one in missing]
                continue
            group_ids = [groups[one] for one in fields.groups]
            for table, rows in rows_of(fields, group_ids, next(ids), terms).items():
                made[table] += rows
        if unknown:
            raise _RefusedError(unknown)
        made["person_term"].sort()
        shelf.put(made)
        done += len(portion)
        _tell_progress(here.database, job, done)


def _portions(database: Database, job_id: str) -> Iterator[list[tuple[int, Fields]]]:
    """Yield the lines in the order of their addresses."""
    after = ""
    while True:
        with database.read() as session:
            rows = session.execute(
                select(
                    ImportLine.line,
                    ImportLine.address,
                    ImportLine.name,
                    ImportLine.services,
                    ImportLine.groups,
                    ImportLine.language,
                    ImportLine.normal,
                )
                .where(ImportLine.job_id == job_id, ImportLine.normal > after)
                .order_by(ImportLine.normal)
                .limit(PORTION)
            ).all()
        if not rows:
            return
        yield [
            (
                row.line,
                understand(row.address, row.name, row.services, row.groups, row.language or ""),
            )
            for row in rows
        ]
        after = rows[-1].normal


def _tell_progress(database: Database, job: ImportJob, done: int) -> None:
    with database.write() as session:
        session.execute(
            update(ImportJob)
            .where(ImportJob.id == job.id, ImportJob.state == ImportState.IMPORTING)
            .values(done=done)
        )


def _write(
    session: Session,
    job: ImportJob,
    actor: Actor,
    groups: Mapping[str, str],
    shelf: Shelf,
    now: int,
) -> None:
    """Make everything, or raise _RefusedError and make nothing."""
    state = ImportState.STOCKING if job.stock else ImportState.DONE
    taken_now = session.execute(
        update(ImportJob)
        .where(ImportJob.id == job.id, ImportJob.state == ImportState.IMPORTING)
        .values(
            state=state,
            done=0 if job.stock else job.lines,
            cursor=None,
            ended_at=None if job.stock else now,
        )
    )
    if changed(taken_now) != 1:
        # Another worker took it in the meantime.
        return
    _refuse_changed(session, job, actor, groups)
    connection = session.connection()
    with room_for_pages(connection):
        for table, columns in COLUMNS.items():
            for portion in shelf.portions(table):
                insert_rows(connection, table, columns, portion)
    _refuse_proven(session, job)
    record(
        session,
        at=now,
        # Who wanted it stands with LIST_ORDERED.
        actor=SERVICE,
        act=Act.LIST_TAKEN,
        target=job.id,
        detail={"lines": job.lines, "reason": job.reason},
    )


def _refuse_changed(
    session: Session, job: ImportJob, actor: Actor, groups: Mapping[str, str]
) -> None:
    """Look again at what the dry run looked at; raise _RefusedError with every line concerned."""
    found: dict[int, list[Found]] = defaultdict(list)
    lines = session.execute(
        select(ImportLine.normal, ImportLine.line).where(ImportLine.job_id == job.id)
    ).all()
    for begin in range(0, len(lines), PORTION):
        portion = {row.normal: row.line for row in lines[begin : begin + PORTION]}
        for problem, addresses in taken(session, actor, list(portion)):
            for address in addresses:
                found[portion[address]].append(Found(problem))
    if not found and usable_groups(session, actor) != dict(groups):
        # Rare, and found out line by line when it is tried again.
        raise GroupsChangedError
    if found:
        raise _RefusedError(found)


def _refuse_proven(session: Session, job: ImportJob) -> None:
    """Look a last time for people who signed in by themselves while the rows were written.

    SQLite has one writer, so there are none. Elsewhere others wait from here to the end only.
    """
    if session.get_bind().dialect.name == "sqlite":
        return
    session.execute(text("LOCK TABLE mail_account IN SHARE ROW EXCLUSIVE MODE"))
    proven = session.scalars(
        select(ImportLine.line)
        .join(MailAccount, MailAccount.address == ImportLine.normal)
        .where(ImportLine.job_id == job.id, MailAccount.proven_at.is_not(None))
    ).all()
    if proven:
        raise _RefusedError({line: [Found(Problem.SET_UP)] for line in proven})


def _refuse(here: Worker, job: ImportJob, found: Mapping[int, Sequence[Found]]) -> None:
    """Keep what is wrong with which line; nothing else has changed."""
    with here.database.write() as session:
        if not end(session, job, ImportState.REFUSED, SERVICE, now=here.clock.now()):
            return
        session.execute(update(ImportJob).where(ImportJob.id == job.id).values(problems=len(found)))
        keep_problems(session, job.id, found)
