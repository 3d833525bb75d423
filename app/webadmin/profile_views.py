"""A member's own page: name, password, recovery codes, sessions."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.staff import own
from app.webadmin import gate, notices
from app.webadmin.area import webadmin
from app.webadmin.enrolment import new_codes, password_is_good
from app.webadmin.freshness import require_fresh
from app.webadmin.here import staff_here
from app.webadmin.own_sessions import OwnSession, list_sessions
from app.webadmin.staff_forms import NameForm, NewPasswordForm


@webadmin.get("/profile")
@require(Permission.STAFF_OWN)
def profile() -> str:
    """Show what belongs to oneself."""
    mine = _own()
    return _profile(NameForm(data={"name": mine.name}), mine)


@webadmin.post("/profile/name")
@require(Permission.STAFF_OWN)
def change_name() -> Any:
    """Be called otherwise."""
    form, staff = NameForm(request.form), gate.current_staff()
    if not form.validate():
        return _profile(form, _own()), 400
    with handfast().database.write() as database:
        own.rename(database, staff.id, form.name.data, staff_here())
        notices.leave(database, gettext("Your name was changed."))
    return _back()


@webadmin.get("/profile/password")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_password() -> str:
    """Ask for a new password."""
    return render_template("admin/profile/password.html", form=NewPasswordForm(), own=_own())


@webadmin.post("/profile/password")
@require(Permission.STAFF_OWN)
@require_fresh
def change_password() -> Any:
    """Keep a new password; every other session ends."""
    here, form, surroundings = handfast(), NewPasswordForm(request.form), staff_here()
    staff, mine = gate.current_staff(), _own()
    if not form.validate() or not password_is_good(form, [mine.name, mine.login]):
        return render_template("admin/profile/password.html", form=form, own=mine), 400
    kept = surroundings.hasher.hash(form.password.data)
    with here.database.write() as database:
        notices.leave(database, gettext("Your password was changed. You are signed in only here."))
        token = own.change_password(database, staff.id, staff.session_id, kept, surroundings)
    gate.renewed(token)
    return _back()


@webadmin.get("/profile/recovery-codes")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_recovery_codes() -> str:
    """Ask before a new set takes the old one's place."""
    return render_template("admin/profile/codes.html", own=_own())


@webadmin.post("/profile/recovery-codes")
@require(Permission.STAFF_OWN)
@require_fresh
def make_recovery_codes() -> str:
    """Make a new set and show it, this once."""
    codes = new_codes(gate.current_staff().id)
    return render_template("admin/profile/codes_shown.html", codes=codes)


@webadmin.get("/profile/sessions/<session_id>/end")
@require(Permission.STAFF_OWN)
def ask_end_own_session(session_id: str) -> str:
    """Ask before a session ends."""
    found = next((one for one in _sessions() if one.id == session_id), None)
    return render_template("admin/profile/end_session.html", session=found or abort(404))


@webadmin.post("/profile/sessions/<session_id>/end")
@require(Permission.STAFF_OWN)
def end_own_session(session_id: str) -> Response:
    """End one session."""
    with handfast().database.write() as database:
        if not own.end_session(database, gate.current_staff().id, session_id, staff_here()):
            abort(404)
        notices.leave(database, gettext("The session was ended."))
    return _back()


@webadmin.get("/profile/sessions/end-others")
@require(Permission.STAFF_OWN)
def ask_end_other_sessions() -> str:
    """Ask before all other sessions end."""
    others = [one for one in _sessions() if not one.is_this]
    return render_template("admin/profile/end_others.html", sessions=others)


@webadmin.post("/profile/sessions/end-others")
@require(Permission.STAFF_OWN)
def end_other_sessions() -> Response:
    """End every session but this one."""
    staff = gate.current_staff()
    with handfast().database.write() as database:
        ended = own.end_others(database, staff.id, staff.session_id, staff_here())
        text = ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended)
        notices.leave(database, text)
    return _back()


def _own() -> own.Own:
    with handfast().database.read() as database:
        return own.view(database, gate.current_staff().id)


def _sessions() -> list[OwnSession]:
    here, staff = handfast(), gate.current_staff()
    with here.database.read() as database:
        return list_sessions(database, staff.id, staff.session_id, now=here.clock.now())


def _profile(form: NameForm, mine: own.Own) -> str:
    return render_template("admin/profile/index.html", form=form, own=mine, sessions=_sessions())


def _back() -> Response:
    return redirect(url_for(".profile"), 303)
