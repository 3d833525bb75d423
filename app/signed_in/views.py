"""The pages of a person's sessions."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app import notices
from app.accounts import sessions
from app.extensions import handfast
from app.permissions import Permission, current_person, require
from app.signed_in.services import SessionView, end_others, find_session, list_sessions

signed_in = Blueprint("signed_in", __name__)


@signed_in.get("/sessions")
@require(Permission.OWN)
def index() -> str:
    """Show where the person is signed in."""
    return render_template("signed_in/index.html", sessions=_list())


@signed_in.get("/sessions/<session_id>/end")
@require(Permission.OWN)
def ask_end(session_id: str) -> str:
    """Ask before a session ends."""
    return render_template("signed_in/end.html", session=_find(session_id))


@signed_in.post("/sessions/<session_id>/end")
@require(Permission.OWN)
def end(session_id: str) -> Response:
    """End one session."""
    _find(session_id)
    here = handfast()
    person = current_person()
    with here.database.write() as database:
        sessions.end(
            database, session_id, person.id, by_session=person.session_id, now=here.clock.now()
        )
        notices.leave(database, gettext("The session was ended."))
    return redirect(url_for(".index"), 303)


@signed_in.get("/sessions/end-others")
@require(Permission.OWN)
def ask_end_others() -> str:
    """Ask before all other sessions end."""
    others = [session for session in _list() if not session.is_this]
    return render_template("signed_in/end_others.html", sessions=others)


@signed_in.post("/sessions/end-others")
@require(Permission.OWN)
def end_all_others() -> Response:
    """End every session but this one."""
    here = handfast()
    person = current_person()
    with here.database.write() as database:
        ended = end_others(database, person.id, person.session_id, now=here.clock.now())
        text = ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended)
        notices.leave(database, text)
    return redirect(url_for(".index"), 303)


def _list() -> list[SessionView]:
    here = handfast()
    person = current_person()
    with here.database.read() as database:
        return list_sessions(database, person.id, person.session_id, now=here.clock.now())


def _find(session_id: str) -> SessionView:
    here = handfast()
    person = current_person()
    with here.database.read() as database:
        found = find_session(
            database, person.id, person.session_id, session_id, now=here.clock.now()
        )
    return found or abort(404)
