"""Signing in to WebAdmin, and out."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.models import StaffStage
from app.notices import NAME as NOTICE
from app.permissions import require
from app.rights import Permission
from app.security import CSRF_HEADER
from app.staff import own, passkeys, recovery, sessions, signing_in
from app.staff.factors import Factor
from app.staff.signing_in import Opened, RefusedError
from app.webadmin import gate
from app.webadmin.area import webadmin
from app.webadmin.here import staff_here
from app.webadmin.staff_forms import CodeForm, SignInForm
from app.webadmin.stages import at_stage, session_id
from app.webadmin.targets import allowed_target


@webadmin.get("/sign-in")
def sign_in() -> Any:
    """Ask who it is."""
    if gate.visit().staff is not None:
        return redirect(allowed_target(request.args.get("next")), 303)
    return _ask(SignInForm(data={"next": allowed_target(request.args.get("next"))}))


@webadmin.post("/sign-in")
def give_password() -> Any:
    """Check the password; a second factor comes next."""
    here, form, surroundings = handfast(), SignInForm(request.form), staff_here()
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    if not form.validate():
        return _ask(form), 400
    login = signing_in.normal_login(form.login.data)
    here.throttles.count_credential(
        signing_in.account_of(login), surroundings.client.address, now=surroundings.now
    )
    wanted = allowed_target(form.next.data)
    try:
        token = signing_in.give_password(
            here.database, login, form.password.data, wanted, surroundings
        )
    except RefusedError:
        form.password.errors = [gettext("Login and password do not fit together.")]
        return _ask(form), 400
    gate.renewed(token)
    return redirect(url_for(".second"), 303)


@webadmin.get("/sign-in/second")
@at_stage(StaffStage.PASSWORD)
def second() -> Any:
    """Ask for the second factor."""
    if gate.visit().staff_id is None:
        return redirect(url_for(".sign_in"), 303)
    return _ask_second(CodeForm())


@webadmin.post("/sign-in/second")
@at_stage(StaffStage.PASSWORD)
def give_code() -> Any:
    """Finish with a code."""
    here, form, surroundings = handfast(), CodeForm(request.form), staff_here()
    staff_id = gate.visit().staff_id
    if staff_id is None:
        return redirect(url_for(".sign_in"), 303)
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    if not form.validate():
        return _ask_second(form), 400
    here.throttles.count_credential(
        signing_in.codes_of(staff_id), surroundings.client.address, now=surroundings.now
    )
    wanted = _wanted()
    try:
        opened = signing_in.give_code(
            here.database, session_id(), staff_id, form.code.data, surroundings
        )
    except RefusedError:
        form.code.errors = [
            gettext("This code is wrong or was used already. Wait for the next one in your app.")
        ]
        return _ask_second(form), 400
    return _come_in(opened, wanted)


@webadmin.post("/sign-in/passkey/options")
def passkey_options() -> Any:
    """Tell the page's script what to ask the authenticator."""
    here, surroundings, visit = handfast(), staff_here(), gate.visit()
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    with here.database.write() as database:
        is_waiting = visit.stage == StaffStage.PASSWORD
        asked = signing_in.begin_passkey(
            database,
            visit.browser.session_id if is_waiting else None,
            visit.staff_id if is_waiting else None,
            visit.browser.token,
            surroundings,
        )
    answer = jsonify(asked.options)
    if asked.token is not None:
        gate.renewed(asked.token)
        # The form that sends the passkey's answer was made for the token before.
        answer.headers[CSRF_HEADER] = gate.visit().browser.csrf
    return answer


@webadmin.post("/sign-in/passkey")
@at_stage(StaffStage.PASSWORD)
def give_passkey() -> Any:
    """Finish with a passkey, which is both factors at once."""
    here, surroundings, visit = handfast(), staff_here(), gate.visit()
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    wanted = allowed_target(request.form.get("next")) if visit.staff_id is None else _wanted()
    try:
        opened = signing_in.show_passkey(
            here.database,
            session_id(),
            visit.staff_id,
            request.form.get("answer", ""),
            surroundings,
        )
    except RefusedError:
        problem = gettext("This passkey was not accepted. Try again, or sign in another way.")
        if visit.staff_id is None:
            return _ask(SignInForm(data={"next": wanted}), problem), 400
        return _ask_second(CodeForm(), problem), 400
    return _come_in(opened, wanted)


@webadmin.post("/sign-out")
@require(Permission.STAFF_OWN)
def sign_out() -> Response:
    """End this session."""
    here, staff = handfast(), gate.current_staff()
    with here.database.write() as database:
        own.sign_out(database, staff.id, staff.session_id, staff_here())
    gate.dropped()
    return redirect(url_for(".sign_in"), 303)


def _ask(form: SignInForm, problem: str = "") -> str:
    return render_template("admin/sign_in/password.html", form=form, problem=problem)


def _ask_second(form: CodeForm, problem: str = "") -> str:
    with handfast().database.read() as database:
        known = passkeys.of(database, gate.visit().staff_id or abort(401))
    return render_template(
        "admin/sign_in/second.html", form=form, problem=problem, has_passkey=bool(known)
    )


def _wanted() -> str:
    with handfast().database.read() as database:
        return allowed_target(signing_in.wanted_by(database, session_id()))


def _come_in(opened: Opened, wanted: str) -> Response:
    here = handfast()
    signing_in.forgive(here.database, here.throttles, opened, staff_here())
    if opened.factor is Factor.RECOVERY_CODE:
        text = ngettext(
            "That recovery code is used up. You have %(num)s left.",
            "That recovery code is used up. You have %(num)s left.",
            opened.codes_left,
        )
        if opened.codes_left <= recovery.FEW:
            text = f"{text} {gettext('Make new ones in your profile soon.')}"
        with here.database.write() as database:
            sessions.NOTES.put(database, opened.session_id, NOTICE, [text, False, {}])
    gate.renewed(opened.token)
    return redirect(wanted, 303)
