"""Showing again who one is, before something sensitive: password and code, or a passkey.

Either is all that signing in takes, so that neither a desk left alone nor a copied cookie is
enough.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.staff import passkeys, signing_in
from app.staff.signing_in import RefusedError
from app.webadmin import gate
from app.webadmin.area import webadmin
from app.webadmin.here import staff_here
from app.webadmin.staff_forms import ConfirmForm
from app.webadmin.targets import allowed_target


@webadmin.get("/confirm-it-is-you")
@require(Permission.STAFF_OWN)
def confirm() -> str:
    """Ask once more who it is."""
    return _ask(ConfirmForm(data={"next": allowed_target(request.args.get("next"))}))


@webadmin.post("/confirm-it-is-you")
@require(Permission.STAFF_OWN)
def give_confirmation() -> Any:
    """Take password and code."""
    here, form, surroundings = handfast(), ConfirmForm(request.form), staff_here()
    staff = gate.current_staff()
    if not form.validate():
        return _ask(form), 400
    here.throttles.count_credential(
        signing_in.codes_of(staff.id), surroundings.client.address, now=surroundings.now
    )
    try:
        token = signing_in.confirm(
            here.database,
            staff.session_id,
            staff.id,
            form.password.data,
            form.code.data,
            surroundings,
        )
    except RefusedError:
        form.password.errors = [gettext("Password or code is wrong. A code works once.")]
        return _ask(form), 400
    return _confirmed(token, form.next.data)


@webadmin.post("/confirm-it-is-you/passkey/options")
@require(Permission.STAFF_OWN)
def confirm_options() -> Any:
    """Tell the page's script what to ask the authenticator."""
    staff = gate.current_staff()
    with handfast().database.write() as database:
        return jsonify(passkeys.begin_showing(database, staff.session_id, staff.id, staff_here()))


@webadmin.post("/confirm-it-is-you/passkey")
@require(Permission.STAFF_OWN)
def confirm_by_passkey() -> Any:
    """Take a passkey."""
    staff, answer = gate.current_staff(), request.form.get("answer", "")
    try:
        token = signing_in.confirm_by_passkey(
            handfast().database, staff.session_id, staff.id, answer, staff_here()
        )
    except RefusedError:
        form = ConfirmForm(data={"next": allowed_target(request.form.get("next"))})
        return _ask(form, gettext("This passkey was not accepted. Try again.")), 400
    return _confirmed(token, request.form.get("next"))


def _ask(form: ConfirmForm, problem: str = "") -> str:
    with handfast().database.read() as database:
        known = passkeys.of(database, gate.current_staff().id)
    return render_template(
        "admin/sign_in/confirm.html", form=form, problem=problem, has_passkey=bool(known)
    )


def _confirmed(token: str, untrusted_next: object) -> Response:
    gate.renewed(token)
    return redirect(allowed_target(untrusted_next), 303)
