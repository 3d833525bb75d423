"""The audit: searched, page by page, and exported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from flask import Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from app.audit import Act, record
from app.auditing.exporting import csv_lines, json_lines
from app.auditing.names import ACT_NAMES
from app.auditing.searching import Page, Place, TooManyPeopleError, Wanted, find_people, search
from app.clock import MINUTE, SECOND
from app.extensions import handfast
from app.metrics.health import AUDIT_LAG, read_health
from app.models import Staff
from app.permissions import require
from app.rights import Permission
from app.staff.reach import Actor
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.webadmin.timeline import who

LONGEST: Final = 200
# So many people are named in the entry of an export; of more it has how many.
MOST_NAMED: Final = 5
FIELDS: Final = ("person", "actor", "act", "target", "since", "until")
Lines = Callable[[Session, Actor, Wanted], Iterator[bytes]]
FORMATS: Final[dict[str, tuple[str, Lines]]] = {
    "csv": ("text/csv; charset=utf-8", csv_lines),
    "jsonl": ("application/jsonl", json_lines),
}


@webadmin.get("/audit")
@require(Permission.AUDIT_SEE)
def audit() -> str:
    """Show what happened, the newest first, and how the chain is."""
    here, actor = handfast(), current_staff().as_actor()
    wanted, asked = _wanted(), _asked()
    is_vague, page = False, Page((), {}, None, None)
    now = here.clock.now()
    with here.database.read() as session:
        try:
            page = search(session, actor, wanted, after=_place("after"), before=_place("before"))
        except TooManyPeopleError:
            is_vague = True
        health = read_health(session, now=now)
        staff = session.execute(select(Staff.id, Staff.name).order_by(Staff.name)).all()
    return render_template(
        "admin/audit/index.html",
        lines=page.lines,
        who={line.id: who(line.actor, page.names, line.person_id or "") for line in page.lines},
        newer=_way("before", page.newer, asked),
        older=_way("after", page.older, asked),
        first=url_for(".audit", **asked) if page.newer is not None else "",
        asked=asked,
        is_vague=is_vague,
        state=health.audit,
        is_late=health.is_audit_late,
        late_minutes=AUDIT_LAG // MINUTE,
        act_names={str(act): name for act, name in ACT_NAMES.items()},
        acts=sorted((str(act), str(name)) for act, name in ACT_NAMES.items()),
        actors=[
            ("operator", gettext("the operator")),
            ("system", gettext("this service")),
            *((f"staff:{row.id}", row.name) for row in staff),
        ],
    )


@webadmin.get("/audit/export")
@require(Permission.AUDIT_EXPORT)
@require_fresh
def ask_audit_export() -> str:
    """Ask in which form; the search comes along."""
    return render_template("admin/audit/export.html", asked=_asked())


@webadmin.post("/audit/export")
@require(Permission.AUDIT_EXPORT)
@require_fresh
def export_audit() -> AnyResponse:
    """Send what was looked for as a file, as it is at this moment."""
    here, staff, wanted = handfast(), current_staff(), _wanted()
    chosen = request.form.get("format", "")
    if chosen not in FORMATS:
        abort(400)
    content_type, lines = FORMATS[chosen]
    with here.database.write() as session:
        facts = {"format": chosen, **_asked()}
        if wanted.person:
            try:
                people = find_people(session, wanted.person)
            except TooManyPeopleError:
                return redirect(url_for(".audit", **_asked()), 303)
            # Not what was typed, which would stay when those people are gone.
            facts["person"] = " ".join(people) if len(people) <= MOST_NAMED else len(people)
        record(
            session,
            at=here.clock.now(),
            actor=staff.actor,
            act=Act.AUDIT_EXPORTED,
            detail=facts,
        )
    actor, database = staff.as_actor(), here.database

    def stream() -> Iterator[bytes]:
        # After the request's own session has ended.
        with database.snapshot() as session:
            yield from lines(session, actor, wanted)

    return Response(
        stream(),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="audit.{chosen}"'},
    )


def _asked() -> dict[str, Any]:
    """Return what the address, or the form, looks for."""
    given = request.form if request.method == "POST" else request.args
    values = {name: given.get(name, "")[:LONGEST].strip() for name in FIELDS}
    # What no database keeps is in no entry either, and PostgreSQL would refuse to look for it.
    return {name: value for name, value in values.items() if value and value.isprintable()}


def _wanted() -> Wanted:
    asked = _asked()
    act = asked.get("act", "")
    return Wanted(
        person=asked.get("person", ""),
        actor=asked.get("actor", ""),
        act=act if act in {str(each) for each in Act} else "",
        target=asked.get("target", ""),
        since=_day(asked.get("since", ""), 0),
        # The last day is meant as a whole.
        until=_day(asked.get("until", ""), 1),
    )


def _day(untrusted: str, later: int) -> int | None:
    """Return when a day begins in UTC, so many days later; None where it is none."""
    try:
        day = date.fromisoformat(untrusted) + timedelta(days=later)
    except (ValueError, OverflowError):
        return None
    begins = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(begins.timestamp()) * SECOND


def _place(name: str) -> Place | None:
    """Return where the page begins or ends; None where the address names no place."""
    at, _, number = request.args.get(name, "").partition("-")
    if not (at.isdecimal() and number.isdecimal() and len(at) < 19 and len(number) < 19):
        return None
    return Place(int(at), int(number))


def _way(name: str, place: Place | None, asked: dict[str, Any]) -> str:
    if place is None:
        return ""
    return url_for(".audit", **{**asked, name: f"{place.at}-{place.id}"})
