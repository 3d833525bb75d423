"""The page of a person's own history."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from app.extensions import handfast
from app.history.sentences import told
from app.history.services import read_history
from app.permissions import current_person, require
from app.rights import Permission

history = Blueprint("history", __name__)


@history.get("/history")
@require(Permission.OWN)
def index() -> str:
    """Show what happened, the newest first."""
    person = current_person()
    # Anything but a whole number simply means the first page.
    before = request.args.get("before", type=int)
    with handfast().database.read() as session:
        page = read_history(session, person.id, before=_in_range(before))
    lines = [told(entry, person.id) for entry in page.entries]
    return render_template("history/index.html", lines=lines, page=page, before=before)


def _in_range(number: int | None) -> int | None:
    return number if number is not None and 0 < number < 2**63 else None
