"""A member's own second factors: an authenticator app and passkeys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.models import StaffPasskey
from app.permissions import require
from app.rights import Permission
from app.staff import enrolling, own
from app.webadmin import gate, notices
from app.webadmin.area import webadmin
from app.webadmin.enrolment import keep_passkey, not_made, secret_shown, wrong_code
from app.webadmin.freshness import require_fresh
from app.webadmin.here import staff_here
from app.webadmin.staff_forms import CodeForm, PasskeyForm


@webadmin.post("/profile/authenticator/begin")
@require(Permission.STAFF_OWN)
@require_fresh
def begin_authenticator() -> Response:
    """Make a secret for an authenticator app."""
    with handfast().database.write() as database:
        enrolling.begin_totp(database, gate.current_staff().session_id, staff_here())
    return redirect(url_for(".ask_authenticator"), 303)


@webadmin.get("/profile/authenticator")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_authenticator() -> Any:
    """Show the secret, and ask for the first code."""
    return _ask_authenticator(CodeForm())


@webadmin.post("/profile/authenticator")
@require(Permission.STAFF_OWN)
@require_fresh
def give_authenticator() -> Any:
    """Take the first code; an app that was there before is good for nothing any more."""
    form, staff = CodeForm(request.form), gate.current_staff()
    if not form.validate():
        return _ask_authenticator(form), 400
    try:
        with handfast().database.write() as database:
            enrolling.confirm_totp(
                database, staff.session_id, staff.id, form.code.data, staff_here()
            )
            notices.leave(database, gettext("The authenticator app is set up."))
    except enrolling.NotReadyError:
        return _back()
    except enrolling.WrongCodeError:
        form.code.errors = [wrong_code()]
        return _ask_authenticator(form), 400
    return _back()


@webadmin.get("/profile/authenticator/remove")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_remove_authenticator() -> str:
    """Ask before the app is forgotten."""
    with handfast().database.read() as database:
        mine = own.view(database, gate.current_staff().id)
    if not (mine.has_totp and mine.may_remove):
        abort(404)
    return render_template("admin/profile/remove_factor.html", passkey=None)


@webadmin.post("/profile/authenticator/remove")
@require(Permission.STAFF_OWN)
@require_fresh
def remove_authenticator() -> Response:
    """Forget the app."""
    with _removing() as database:
        own.remove_totp(database, gate.current_staff().id, staff_here())
        notices.leave(database, gettext("The authenticator app was removed."))
    return _back()


@webadmin.get("/profile/passkeys/add")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_passkey() -> str:
    """Offer to make a passkey."""
    return render_template("admin/profile/passkey.html", form=PasskeyForm(), problem="")


@webadmin.post("/profile/passkeys/options")
@require(Permission.STAFF_OWN)
@require_fresh
def add_passkey_options() -> Any:
    """Tell the page's script what passkey to make."""
    staff = gate.current_staff()
    with handfast().database.write() as database:
        asked = enrolling.begin_passkey(database, staff.session_id, staff.id, staff_here())
    return jsonify(asked)


@webadmin.post("/profile/passkeys/add")
@require(Permission.STAFF_OWN)
@require_fresh
def add_passkey() -> Any:
    """Keep the passkey that was made."""
    form, staff = PasskeyForm(request.form), gate.current_staff()
    if not form.validate() or not keep_passkey(staff.session_id, staff.id, form):
        page = render_template("admin/profile/passkey.html", form=form, problem=not_made())
        return page, 400
    with handfast().database.write() as database:
        notices.leave(database, gettext("The passkey was added."))
    return _back()


@webadmin.get("/profile/passkeys/<passkey_id>/remove")
@require(Permission.STAFF_OWN)
@require_fresh
def ask_remove_passkey(passkey_id: str) -> str:
    """Ask before a passkey is forgotten."""
    passkey = _passkey(passkey_id)
    return render_template("admin/profile/remove_factor.html", passkey=passkey)


@webadmin.post("/profile/passkeys/<passkey_id>/remove")
@require(Permission.STAFF_OWN)
@require_fresh
def remove_passkey(passkey_id: str) -> Response:
    """Forget a passkey."""
    with _removing() as database:
        own.remove_passkey(database, gate.current_staff().id, passkey_id, staff_here())
        notices.leave(database, gettext("The passkey was removed."))
    return _back()


@contextmanager
def _removing() -> Iterator[Session]:
    try:
        with handfast().database.write() as database:
            yield database
    except own.MissingError:
        abort(404)
    except own.LastFactorError:
        text = gettext("This is your only second step. Add another one first.")
        with handfast().database.write() as database:
            notices.leave(database, text, is_error=True)


def _passkey(passkey_id: str) -> StaffPasskey:
    with handfast().database.read() as database:
        mine = own.view(database, gate.current_staff().id)
    found = next((one for one in mine.passkeys if one.id == passkey_id), None)
    return found if found is not None and mine.may_remove else abort(404)


def _ask_authenticator(form: CodeForm) -> Any:
    staff = gate.current_staff()
    with handfast().database.read() as database:
        secret = enrolling.waiting_totp(database, staff.session_id, staff_here())
        login = own.view(database, staff.id).login
    if secret is None:
        return _back()
    return render_template(
        "admin/profile/authenticator.html", form=form, **secret_shown(secret, login)
    )


def _back() -> Response:
    return redirect(url_for(".profile"), 303)
