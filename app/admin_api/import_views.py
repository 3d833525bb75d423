"""Lists of people: sent, looked at, taken, cancelled."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from app.admin_api import holder
from app.admin_api.acting import make, told
from app.admin_api.messages import (
    Guest,
    GuestsRequest,
    ImportRequest,
    ImportView,
    LineProblem,
    WrongLineView,
)
from app.api.operations import admin_api
from app.api.pages import Asked, cut
from app.api.problems import ProblemError
from app.bulk import services
from app.bulk.fields import BETWEEN_GROUPS
from app.bulk.reading import Line, ListError, read_list
from app.bulk.services import JobView, WrongStateError
from app.clock import seconds
from app.extensions import handfast
from app.provisioning.services import Here
from app.rights import Permission
from app.staff.reach import Actor


@admin_api.add(
    "POST",
    "/imports",
    _("Send a list of people as CSV, to be checked line by line."),
    needs=Permission.PEOPLE_IMPORT,
    takes=ImportRequest,
    gives=ImportView,
    is_repeatable=True,
)
def admin_create_import(wanted: ImportRequest) -> ImportView:
    """Take a list in; it is taken whole once that is asked for."""
    lines = read_list(io.BytesIO(wanted.csv.encode()))
    return _made(lines, wanted.reason, wanted.stock, is_taken_at_once=False)


@admin_api.add(
    "POST",
    "/imports/people",
    _("Invite up to 1,000 people at once: checked, and if nothing is wrong, taken."),
    needs=Permission.PEOPLE_IMPORT,
    takes=GuestsRequest,
    gives=ImportView,
    is_repeatable=True,
)
def admin_invite_many(wanted: GuestsRequest) -> ImportView:
    """Take several people in; the first of them is line 1."""
    lines = (_line(number, guest) for number, guest in enumerate(wanted.people, 1))
    return _made(lines, wanted.reason, wanted.stock, is_taken_at_once=True)


@admin_api.add(
    "GET",
    "/imports",
    _("List the lists, the newest first."),
    needs=Permission.PEOPLE_IMPORT,
    gives=list[ImportView],
    paged=True,
)
def admin_list_imports(page: Asked) -> list[ImportView]:
    """List the lists of whoever made the token."""
    try:
        with handfast().database.read() as session:
            found = services.list_jobs(
                session, holder.actor(), after=page.after, limit=page.limit + 1
            )
    except services.NoJobError:
        raise ProblemError("unknown-cursor") from None
    return [_view(job) for job in cut(found, page, lambda job: job.id)]


@admin_api.add(
    "GET",
    "/imports/<job_id>",
    _("See how far a list is."),
    needs=Permission.PEOPLE_IMPORT,
    gives=ImportView,
)
def admin_get_import(job_id: str) -> ImportView:
    """Return one list."""
    return _view(_job(job_id))


@admin_api.add(
    "GET",
    "/imports/<job_id>/problems",
    _("List what is wrong with a list, line by line."),
    needs=Permission.PEOPLE_IMPORT,
    gives=list[WrongLineView],
    paged=True,
)
def admin_list_problems(page: Asked, job_id: str) -> list[WrongLineView]:
    """List the lines with problems; the cursor is the number of a line."""
    _job(job_id)
    after = page.after or "0"
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise ProblemError("unknown-cursor")
    with handfast().database.read() as session:
        found = services.wrong_lines(session, job_id, after=int(after), limit=page.limit + 1)
    return [
        WrongLineView(
            each.line, each.address, [LineProblem(one.problem, one.about) for one in each.problems]
        )
        for each in cut(found, page, lambda each: str(each.line))
    ]


@admin_api.add(
    "POST",
    "/imports/<job_id>/taking",
    _("Take a list that was checked and has no problem: all of it."),
    needs=Permission.PEOPLE_IMPORT,
    gives=ImportView,
    problems=("ended",),
)
def admin_take_import(job_id: str) -> ImportView:
    """Let a list be taken."""
    now = handfast().clock.now()
    return _changed(job_id, lambda session, actor: services.take(session, actor, job_id, now=now))


@admin_api.add(
    "POST",
    "/imports/<job_id>/cancellation",
    _("Cancel a list that was not taken yet."),
    needs=Permission.PEOPLE_IMPORT,
    gives=ImportView,
    problems=("ended",),
)
def admin_cancel_import(job_id: str) -> ImportView:
    """End a list."""
    now = handfast().clock.now()
    return _changed(job_id, lambda session, actor: services.cancel(session, actor, job_id, now=now))


def _made(lines: Iterable[Line], reason: str, stock: int, *, is_taken_at_once: bool) -> ImportView:
    def work(session: Session, actor: Actor, here: Here) -> ImportView:
        job_id = services.make(
            session,
            actor,
            lines,
            reason=reason,
            stock=stock,
            is_taken_at_once=is_taken_at_once,
            now=here.now,
            entropy=here.entropy,
        )
        found = services.find(session, actor, job_id)
        assert found is not None
        return _view(found)

    try:
        return make(ImportView, work)
    except ListError as error:
        about = f" ({error.about})" if error.about else ""
        raise ProblemError("unusable", f"no list: {error.fault}{about}") from None


def _changed(job_id: str, change: Callable[[Session, Actor], None]) -> ImportView:
    _job(job_id)
    try:
        with told(), handfast().database.write() as session:
            change(session, holder.actor())
    except WrongStateError:
        raise ProblemError("ended", "the list is not in the state for it") from None
    return _view(_job(job_id))


def _job(job_id: str) -> JobView:
    with handfast().database.read() as session:
        found = services.find(session, holder.actor(), job_id)
    if found is None:
        raise ProblemError("not-found")
    return found


def _line(number: int, guest: Guest) -> Line:
    return Line(
        number,
        address=guest.address,
        name=guest.name,
        services=" ".join(guest.services or ()),
        groups=BETWEEN_GROUPS.join(guest.groups),
        language=guest.language or "",
    )


def _view(job: JobView) -> ImportView:
    return ImportView(
        job.id,
        job.state,
        job.reason,
        job.lines,
        job.done,
        job.problems,
        seconds(job.created_at),
        None if job.ended_at is None else seconds(job.ended_at),
        job.failure,
    )
