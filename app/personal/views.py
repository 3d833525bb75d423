"""A person's own data: downloaded, and deleted."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app import web_session
from app.extensions import handfast
from app.permissions import current_person, require
from app.personal.deleting import NotTypedError, delete_oneself
from app.personal.services import export_oneself, is_recent
from app.rights import Permission

personal = Blueprint("personal", __name__)


@personal.get("/my-data")
@require(Permission.OWN)
def index() -> str:
    """Say what is kept, and offer a copy and the end of it."""
    return render_template("personal/index.html")


@personal.post("/my-data/download")
@require(Permission.OWN)
def download() -> Response:
    """Send everything as one file."""
    here, person = handfast(), current_person()
    with here.database.write() as session:
        content = export_oneself(
            session, person.id, service=here.config.service_name, now=here.clock.now()
        )
    return as_file(content, "my-data.json")


@personal.get("/my-data/delete")
@require(Permission.OWN)
def ask_delete() -> str:
    """Ask before everything is deleted; first sign in again, if that was long ago."""
    here = handfast()
    with here.database.read() as session:
        recent = is_recent(session, current_person().session_id, now=here.clock.now())
    return render_template("personal/delete.html", is_recent=recent, error="")


@personal.post("/my-data/delete")
@require(Permission.OWN)
def delete() -> AnyResponse | tuple[str, int]:
    """Delete everything, and sign out: there is nobody any more who could be signed in."""
    here, person = handfast(), current_person()
    now = here.clock.now()
    with here.database.read() as session:
        if not is_recent(session, person.session_id, now=now):
            return redirect(url_for(".ask_delete"), 303)
    try:
        with here.database.write() as session:
            delete_oneself(
                session,
                person.id,
                typed=request.form.get("typed", "")[:400],
                now=now,
                entropy=here.entropy,
            )
    except NotTypedError:
        error = gettext("Type one of your mail addresses here, as you see it above.")
        return render_template("personal/delete.html", is_recent=True, error=error), 400
    web_session.dropped()
    return redirect(url_for("accounts.sign_in"), 303)


def as_file(content: bytes, name: str) -> Response:
    """Return an answer that browsers save."""
    return Response(
        content,
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )
