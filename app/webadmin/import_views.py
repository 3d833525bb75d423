"""Lists of people: uploaded, checked, mended, taken."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Final

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import format_decimal, gettext
from werkzeug.wrappers import Response

from app.bulk import services
from app.bulk.reading import ListError, read_list
from app.bulk.services import JobView, WrongLine, WrongStateError
from app.bulk.spreadsheets import write_row
from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.webadmin import notices
from app.webadmin.area import webadmin
from app.webadmin.gate import current_staff
from app.webadmin.import_forms import ListForm
from app.webadmin.import_words import FAILURES, fault_text, problem_text

SHOWN: Final = 100
_PORTION: Final = 2000
_CSV: Final = "text/csv; charset=utf-8"
Answer = str | Response | tuple[str, int]


@webadmin.get("/imports")
@require(Permission.PEOPLE_IMPORT)
def imports() -> str:
    """Show the lists so far, and the form for another one."""
    return _index(ListForm())


@webadmin.post("/imports")
@require(Permission.PEOPLE_IMPORT)
def upload_list() -> Answer:
    """Take a list in, to be checked by the worker."""
    here, form = handfast(), ListForm(request.form)
    if not form.validate():
        return _index(form), 400
    try:
        with here.database.write() as session:
            job_id = services.make(
                session,
                current_staff().as_actor(),
                read_list(_uploaded(form)),
                reason=form.reason.data,
                stock=form.stock.data,
                now=here.clock.now(),
                entropy=here.entropy,
            )
    except ListError as error:
        form.file.errors = [fault_text(error)]
        return _index(form), 400
    return redirect(url_for(".import_job", job_id=job_id), 303)


@webadmin.get("/imports/<job_id>")
@require(Permission.PEOPLE_IMPORT)
def import_job(job_id: str) -> str:
    """Show one list: how far it is, and everything that is wrong with it."""
    job, after = _job(job_id), _number(request.args.get("after", ""))
    with handfast().database.read() as session:
        wrong = services.wrong_lines(session, job_id, after=after, limit=SHOWN + 1)
    return render_template(
        "admin/imports/job.html",
        job=job,
        wrong=wrong[:SHOWN],
        problem_text=problem_text,
        failure=FAILURES.get(job.failure or ""),
        first=url_for(".import_job", job_id=job_id) if after else "",
        older=_way(job_id, wrong),
    )


@webadmin.get("/imports/<job_id>/status")
@require(Permission.PEOPLE_IMPORT)
def import_status(job_id: str) -> Response:
    """Tell the page's script how far a list is."""
    job = _job(job_id)
    return jsonify(
        state=job.state,
        working=job.is_moving,
        done=job.done,
        lines=job.lines,
        text=gettext(
            "%(done)s of %(whole)s", done=format_decimal(job.done), whole=format_decimal(job.lines)
        ),
    )


@webadmin.get("/imports/<job_id>/problems.csv")
@require(Permission.PEOPLE_IMPORT)
def import_problems(job_id: str) -> Response:
    """Give everything that is wrong with a list as a list."""
    _job(job_id)
    database = handfast().database

    def lines() -> Iterator[str]:
        yield "\ufeff" + write_row(("line", "address", "name", "problem"))
        after = 0
        while True:
            with database.read() as session:
                wrong = services.wrong_lines(session, job_id, after=after, limit=_PORTION)
            yield "".join(
                write_row((str(each.line), each.address, each.name, problem_text(one)))
                for each in wrong
                for one in each.problems
            )
            if len(wrong) < _PORTION:
                return
            after = wrong[-1].line

    return attachment(lines(), f"problems-{job_id}.csv")


@webadmin.post("/imports/<job_id>/take")
@require(Permission.PEOPLE_IMPORT)
def take_import(job_id: str) -> Response:
    """Let a checked list be taken."""
    _job(job_id)
    here = handfast()
    try:
        with here.database.write() as session:
            actor = current_staff().as_actor()
            services.take(session, actor, job_id, now=here.clock.now())
    except WrongStateError:
        _say(gettext("The list cannot be taken as it is now; this is how it stands."))
    return redirect(url_for(".import_job", job_id=job_id), 303)


@webadmin.post("/imports/<job_id>/cancel")
@require(Permission.PEOPLE_IMPORT)
def cancel_import(job_id: str) -> Response:
    """End a list that was not taken."""
    _job(job_id)
    here = handfast()
    try:
        with here.database.write() as session:
            actor = current_staff().as_actor()
            services.cancel(session, actor, job_id, now=here.clock.now())
    except WrongStateError:
        _say(gettext("It was too late to cancel the list; this is how it stands."))
    return redirect(url_for(".import_job", job_id=job_id), 303)


def attachment(lines: Iterator[str], name: str) -> Response:
    """Return text for a file, sent as it is made."""
    return Response(
        (line.encode() for line in lines),
        content_type=_CSV,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _index(form: ListForm) -> str:
    with handfast().database.read() as session:
        found = services.list_jobs(session, current_staff().as_actor())
    return render_template("admin/imports/index.html", form=form, jobs=found)


def _uploaded(form: ListForm) -> IO[bytes]:
    file = request.files.get("file")
    if file is not None and file.filename:
        return file.stream
    pasted: str = form.pasted.data or ""
    return io.BytesIO(pasted.encode("utf-8", "replace"))


def _job(job_id: str) -> JobView:
    with handfast().database.read() as session:
        return services.find(session, current_staff().as_actor(), job_id) or abort(404)


def _say(text: str) -> None:
    with handfast().database.write() as session:
        notices.leave(session, text, is_error=True)


def _number(untrusted: str) -> int:
    return int(untrusted) if untrusted.isascii() and untrusted.isdecimal() else 0


def _way(job_id: str, wrong: list[WrongLine]) -> str:
    """Return the address of the next page of problems, if there is one."""
    if len(wrong) <= SHOWN:
        return ""
    return url_for(".import_job", job_id=job_id, after=wrong[SHOWN - 1].line)
