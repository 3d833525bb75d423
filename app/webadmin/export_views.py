"""People exported as CSV."""

from __future__ import annotations

from typing import Any, Final

from flask import render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app.bulk.exporting import begin_export, export_lines
from app.extensions import handfast
from app.people.conditions import PeopleState
from app.people.listing import Wanted
from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.webadmin.import_forms import ExportForm
from app.webadmin.import_views import attachment
from app.webadmin.lists import LONGEST_TEXT

FIELDS: Final = ("q", "state", "group")


@webadmin.get("/people/export")
@require(Permission.PEOPLE_EXPORT)
@require_fresh
def ask_export_people() -> str:
    """Ask why the people that were looked for are exported."""
    return _page(ExportForm(), _asked(request.args))


@webadmin.post("/people/export")
@require(Permission.PEOPLE_EXPORT)
@require_fresh
def export_people() -> Response | tuple[str, int]:
    """Give the people as a file."""
    here, form, asked = handfast(), ExportForm(request.form), _asked(request.form)
    if not form.validate():
        return _page(form, asked), 400
    actor, now = current_staff().as_actor(), here.clock.now()
    with here.database.write() as session:
        ids = begin_export(session, actor, _wanted(asked), reason=form.reason.data, now=now)
    return attachment(export_lines(here.database, actor, ids, now=now), "people.csv")


def _page(form: ExportForm, asked: dict[str, str]) -> str:
    return render_template("admin/imports/export.html", form=form, asked=asked)


def _asked(given: MultiDict[str, str]) -> dict[str, str]:
    values: dict[str, Any] = {name: given.get(name, "")[:LONGEST_TEXT].strip() for name in FIELDS}
    # What no database keeps is nobody's name either.
    return {name: value for name, value in values.items() if value and value.isprintable()}


def _wanted(asked: dict[str, str]) -> Wanted:
    state = asked.get("state", "")
    return Wanted(
        text=asked.get("q", ""),
        state=PeopleState(state) if state in {str(each) for each in PeopleState} else None,
        group_id=asked.get("group", ""),
    )
