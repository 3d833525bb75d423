"""The dry run: every line of a list is checked, and every problem of it is kept with the line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.bulk import problems
from app.bulk.fields import Fields, understand
from app.bulk.makers import MakerGoneError, maker
from app.bulk.problems import UNREADABLE, Found, Problem
from app.clock import Clock
from app.database import Database, changed
from app.mailservers.server import VouchedBy
from app.models import (
    ImportJob,
    ImportLine,
    ImportState,
    Invitation,
    InvitationState,
    MailAccount,
    PersonGroup,
    Reach,
    Staff,
)
from app.models.base import Base
from app.staff.reach import WORKING, Actor, groups_within, may_act_on

BATCH: Final = 1000
MAKER_GONE: Final = "maker-gone"
# As whose acts the audit has what the worker does by itself.
SERVICE: Final = "system"
_LINE: Final = Base.metadata.tables["import_line"]
_WRITE: Final = (
    update(_LINE)
    .where(_LINE.c.job_id == bindparam("of_job"), _LINE.c.line == bindparam("at_line"))
    .values(normal=bindparam("is_normal"), problem=bindparam("has_problem"))
)


@dataclass(frozen=True)
class _Checked:
    """What became of one batch."""

    rows: list[dict[str, Any]]
    wrong: int
    last: int


def check_some(database: Database, clock: Clock) -> bool:
    """Check one batch of the oldest list that waits for it; tell whether there was one."""
    now = clock.now()
    with database.read() as session:
        job = session.scalar(
            select(ImportJob)
            .where(ImportJob.state == ImportState.CHECKING)
            .order_by(ImportJob.created_at, ImportJob.id)
            .limit(1)
        )
        if job is None:
            return False
        try:
            actor = maker(session, job.made_by, now=now)
            batch = _check(session, job, actor)
        except MakerGoneError:
            batch = None
    with database.write() as session:
        if batch is None:
            end(session, job, ImportState.FAILED, SERVICE, now=now, failure=MAKER_GONE)
        else:
            _write(session, job, batch, now)
    return True


def end(
    session: Session,
    job: ImportJob,
    state: ImportState,
    actor: str,
    *,
    now: int,
    failure: str | None = None,
) -> bool:
    """End a list in its present state, as ``actor``'s act; False when somebody else was first."""
    ended = session.execute(
        update(ImportJob)
        .where(ImportJob.id == job.id, ImportJob.state == job.state)
        .values(state=state, ended_at=now, failure=failure)
    )
    if changed(ended) != 1:
        return False
    record(
        session,
        at=now,
        actor=actor,
        act=Act.LIST_ENDED,
        target=job.id,
        detail={"state": state, "lines": job.lines},
    )
    return True


def keep_problems(session: Session, job_id: str, found: Mapping[int, Sequence[Found]]) -> None:
    """Write down what is wrong with which lines, instead of what was written there before."""
    for line, each in found.items():
        session.execute(
            update(ImportLine)
            .where(ImportLine.job_id == job_id, ImportLine.line == line)
            .values(problem=problems.write(each))
        )


def taken(session: Session, actor: Actor, wanted: Sequence[str]) -> list[tuple[Problem, set[str]]]:
    """Return what stands in the way of inviting addresses, and which ones it is."""
    is_set_up = or_(MailAccount.proven_at.is_not(None), MailAccount.vouched_by == VouchedBy.STAFF)
    accounts = select(MailAccount.address).where(MailAccount.address.in_(wanted), is_set_up)
    invited = set(
        session.scalars(
            select(Invitation.address).where(
                Invitation.address.in_(wanted), Invitation.state == InvitationState.OPEN
            )
        )
    )
    # Who waits is not named a second time.
    taken = [
        (Problem.INVITED, invited),
        (Problem.SET_UP, set(session.scalars(accounts)) - invited),
    ]
    held = select(Staff.address, Staff.role).where(
        Staff.address.in_(wanted), Staff.state.in_(WORKING)
    )
    above = {row.address for row in session.execute(held) if not may_act_on(actor, (row.role,))}
    taken.append((Problem.COLLEAGUE, above))
    return taken


def usable_groups(session: Session, actor: Actor) -> dict[str, str]:
    """Return the ids of the groups that an actor may put people in, by their names."""
    rows = session.execute(
        select(PersonGroup.name, PersonGroup.id).where(groups_within(actor))
    ).all()
    return {row.name: row.id for row in rows}


def _check(session: Session, job: ImportJob, actor: Actor) -> _Checked:
    rows = session.execute(
        select(
            ImportLine.line,
            ImportLine.address,
            ImportLine.name,
            ImportLine.services,
            ImportLine.groups,
            ImportLine.language,
            ImportLine.problem,
        )
        .where(ImportLine.job_id == job.id, ImportLine.line > int(job.cursor or 0))
        .order_by(ImportLine.line)
        .limit(BATCH)
    ).all()
    understood = {row.line: _understand(row) for row in rows}
    found = {line: list(fields.problems) for line, fields in understood.items()}
    _add_repeated(session, job.id, understood, found)
    _add_taken(session, actor, understood, found)
    _add_groups(usable_groups(session, actor), actor, understood, found)
    written = [
        {
            "of_job": job.id,
            "at_line": line,
            "is_normal": fields.address,
            "has_problem": problems.write(found[line]),
        }
        for line, fields in understood.items()
    ]
    wrong = sum(1 for each in found.values() if each)
    return _Checked(written, wrong, max(understood, default=0))


def _understand(row: Any) -> Fields:
    before = problems.read(row.problem)
    if any(one.problem in UNREADABLE for one in before):
        return Fields(None, "", (), (), None, tuple(before))
    fields = understand(row.address, row.name, row.services, row.groups, row.language or "")
    # What was too long was cut off, and may look right now.
    known = {one.problem for one in before}
    more = [one for one in fields.problems if one.problem not in known]
    return replace(fields, problems=(*before, *more))


def _add_repeated(
    session: Session,
    job_id: str,
    understood: Mapping[int, Fields],
    found: Mapping[int, list[Found]],
) -> None:
    """Note which lines have the address of an earlier one."""
    wanted = {fields.address for fields in understood.values() if fields.address}
    earlier = session.execute(
        select(ImportLine.normal, func.min(ImportLine.line))
        .where(
            ImportLine.job_id == job_id,
            ImportLine.normal.in_(wanted),
            # Lines of this batch have one already if a batch was tried before.
            ImportLine.line < min(understood, default=0),
        )
        .group_by(ImportLine.normal)
    ).all()
    first: dict[str, int] = {row[0]: row[1] for row in earlier if row[0]}
    for line, fields in understood.items():
        if fields.address is None:
            continue
        if (before := first.setdefault(fields.address, line)) != line:
            found[line].append(Found(Problem.REPEATED, str(before)))


def _add_taken(
    session: Session,
    actor: Actor,
    understood: Mapping[int, Fields],
    found: Mapping[int, list[Found]],
) -> None:
    """Note which addresses are somebody's, or wait for somebody, already."""
    lines: dict[str, list[int]] = defaultdict(list)
    for line, fields in understood.items():
        if fields.address:
            lines[fields.address].append(line)
    for problem, addresses in taken(session, actor, list(lines)):
        for address in sorted(addresses):
            for line in lines[address]:
                found[line].append(Found(problem))


def _add_groups(
    known: Mapping[str, str],
    actor: Actor,
    understood: Mapping[int, Fields],
    found: Mapping[int, list[Found]],
) -> None:
    """Note which groups there are not; beyond somebody's reach there are none."""
    for line, fields in understood.items():
        found[line] += [
            Found(Problem.GROUP_UNKNOWN, name[:100]) for name in fields.groups if name not in known
        ]
        is_read = bool(fields.services)
        if actor.reach == Reach.GROUPS and is_read and not fields.groups:
            found[line].append(Found(Problem.GROUP_MISSING))


def _write(session: Session, job: ImportJob, batch: _Checked, now: int) -> None:
    """Keep what was found; the last batch decides whether the list can be taken."""
    done, wrong = job.done + len(batch.rows), job.problems + batch.wrong
    counted = session.execute(
        update(ImportJob)
        .where(
            ImportJob.id == job.id,
            ImportJob.state == ImportState.CHECKING,
            ImportJob.done == job.done,
        )
        .values(done=done, problems=wrong, cursor=str(batch.last))
    )
    if changed(counted) != 1:
        return
    if batch.rows:
        session.connection().execute(_WRITE, batch.rows)
    if len(batch.rows) == BATCH and done < job.lines:
        return
    if wrong:
        end(session, job, ImportState.REFUSED, SERVICE, now=now)
        return
    state = ImportState.IMPORTING if job.is_taken_at_once else ImportState.CHECKED
    session.execute(
        update(ImportJob).where(ImportJob.id == job.id).values(state=state, done=0, cursor=None)
    )
