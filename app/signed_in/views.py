"""The pages of a person's sessions."""

from __future__ import annotations

from flask import Blueprint, abort, jsonify, redirect, render_template, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app import notices, web_session
from app.accounts import sessions
from app.errors import wants_json
from app.extensions import handfast
from app.permissions import current_person, require
from app.rights import Permission
from app.signed_in.services import (
    SessionView,
    end_others,
    find_session,
    list_sessions,
    renew_session,
)

signed_in = Blueprint("signed_in", __name__)


@signed_in.get("/sessions")
@require(Permission.OWN)
def index() -> str:
    """Show where the person is signed in."""
    return render_template("signed_in/index.html", sessions=_list())


@signed_in.post("/sessions/renew")
@require(Permission.OWN)
def renew() -> Response:
    """Put off the end of this session, and tell a page's script for how long it lasts now."""
    here, person = handfast(), current_person()
    with here.database.write() as database:
        ends_at, is_final = renew_session(database, person.session_id, now=here.clock.now())
        if not wants_json():
            notices.leave(database, gettext("You stay signed in."))
    if wants_json():
        return jsonify(seconds_left=web_session.seconds_left(ends_at), is_final=is_final)
    return redirect(url_for("home.index"), 303)


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
