"""Behind a one-time link: choose a password and a second factor, and print recovery codes.

The link's secret stands behind the ``#``, so no server sees it before its owner sends the form:
opening the page changes nothing.
"""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.models import Staff, StaffStage
from app.staff import enrolling, links
from app.staff.enrolling import Step
from app.webadmin import gate
from app.webadmin.area import webadmin
from app.webadmin.enrolment import (
    keep_passkey,
    new_codes,
    not_made,
    password_is_good,
    secret_shown,
    wrong_code,
)
from app.webadmin.here import staff_here
from app.webadmin.staff_forms import (
    CodeForm,
    FirstOwnerForm,
    LinkForm,
    PasskeyForm,
    WelcomeForm,
)
from app.webadmin.stages import at_stage, session_id

PAGES = {
    Step.PASSWORD: "webadmin.welcome_password",
    Step.FACTOR: "webadmin.welcome_factor",
    Step.CODES: "webadmin.welcome_codes",
}


@webadmin.get("/welcome")
def welcome() -> str:
    """Ask for the link's secret, which a script takes from the address."""
    return render_template("admin/welcome/open.html", form=LinkForm())


@webadmin.post("/welcome")
def open_link() -> Any:
    """Use the link up; from here on a cookie stands for it."""
    here, form, surroundings = handfast(), LinkForm(request.form), staff_here()
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    if not form.validate():
        return render_template("admin/welcome/open.html", form=form), 400
    secret = form.link.data.strip().rpartition("#")[2]
    try:
        with here.database.write() as database:
            token = enrolling.begin(database, secret, surroundings)
    except links.LinkError:
        form.link.errors = [
            gettext("This link is not good any more. Ask for a new one where you got it.")
        ]
        return render_template("admin/welcome/open.html", form=form), 400
    gate.renewed(token)
    return redirect(url_for(".welcome_password"), 303)


@webadmin.get("/welcome/password")
@at_stage(StaffStage.ENROL)
def welcome_password() -> str:
    """Ask for a name and a password."""
    _, staff = _step()
    return _ask_password(_password_form(staff), staff)


@webadmin.post("/welcome/password")
@at_stage(StaffStage.ENROL)
def choose_password() -> Any:
    """Keep them; the first owner comes into being."""
    here, surroundings = handfast(), staff_here()
    _, staff = _step()
    form = _password_form(staff, sent=True)
    login = staff.login if staff is not None else (form.login.data or "")
    if not form.validate() or not password_is_good(form, [form.name.data, login]):
        return _ask_password(form, staff), 400
    kept = surroundings.hasher.hash(form.password.data)
    login = staff.login if staff is not None else form.login.data
    choice = enrolling.Choice(form.name.data, login, kept)
    try:
        with here.database.write() as database:
            enrolling.choose(database, session_id(), choice, surroundings)
            enrolling.begin_totp(database, session_id(), surroundings)
    except enrolling.LoginTakenError:
        form.login.errors = [gettext("Somebody else signs in with it.")]
        return _ask_password(form, staff), 400
    return redirect(url_for(".welcome_factor"), 303)


@webadmin.get("/welcome/factor")
@at_stage(StaffStage.ENROL)
def welcome_factor() -> Any:
    """Offer the second factors."""
    return _at(Step.FACTOR) or _ask_factor(CodeForm())


@webadmin.post("/welcome/authenticator")
@at_stage(StaffStage.ENROL)
def welcome_authenticator() -> Any:
    """Take the first code of an app."""
    if (elsewhere := _at(Step.FACTOR)) is not None:
        return elsewhere
    here, form, surroundings = handfast(), CodeForm(request.form), staff_here()
    here.throttles.count_request(surroundings.client.address, now=surroundings.now)
    if not form.validate():
        return _ask_factor(form), 400
    try:
        with here.database.write() as database:
            enrolling.confirm_totp(
                database, session_id(), _member().id, form.code.data, surroundings
            )
    except enrolling.WrongCodeError:
        form.code.errors = [wrong_code()]
        return _ask_factor(form), 400
    return redirect(url_for(".welcome_codes"), 303)


@webadmin.post("/welcome/passkey/options")
@at_stage(StaffStage.ENROL)
def welcome_passkey_options() -> Any:
    """Tell the page's script what passkey to make."""
    if (elsewhere := _at(Step.FACTOR)) is not None:
        return elsewhere
    with handfast().database.write() as database:
        asked = enrolling.begin_passkey(database, session_id(), _member().id, staff_here())
    return jsonify(asked)


@webadmin.post("/welcome/passkey")
@at_stage(StaffStage.ENROL)
def welcome_passkey() -> Any:
    """Keep the passkey that was made."""
    if (elsewhere := _at(Step.FACTOR)) is not None:
        return elsewhere
    form = PasskeyForm(request.form)
    if not form.validate() or not keep_passkey(session_id(), _member().id, form):
        return _ask_factor(CodeForm(), not_made()), 400
    return redirect(url_for(".welcome_codes"), 303)


@webadmin.get("/welcome/codes")
@at_stage(StaffStage.ENROL)
def welcome_codes() -> Any:
    """Say what recovery codes are for."""
    return _at(Step.CODES) or render_template("admin/welcome/codes.html")


@webadmin.post("/welcome/codes")
@at_stage(StaffStage.ENROL)
def make_welcome_codes() -> Any:
    """Make recovery codes and show them, this once."""
    if (elsewhere := _at(Step.CODES)) is not None:
        return elsewhere
    return render_template("admin/welcome/shown.html", codes=new_codes(_member().id))


@webadmin.post("/welcome/finish")
@at_stage(StaffStage.ENROL)
def finish_welcome() -> Response:
    """Open WebAdmin."""
    try:
        with handfast().database.write() as database:
            token = enrolling.finish(database, session_id(), staff_here())
    except enrolling.NotReadyError:
        step, _ = _step()
        return redirect(url_for(PAGES[step]), 303)
    gate.renewed(token)
    return redirect(url_for(".index"), 303)


def _step() -> tuple[Step, Staff | None]:
    with handfast().database.read() as database:
        return enrolling.step(database, session_id())


def _member() -> Staff:
    return _step()[1] or abort(404)


def _at(wanted: Step) -> Response | None:
    """Lead to where the holder of the link is, if that is not here."""
    step, _ = _step()
    return None if step is wanted else redirect(url_for(PAGES[step]), 303)


def _password_form(staff: Staff | None, *, sent: bool = False) -> Any:
    if staff is None:
        return FirstOwnerForm(request.form if sent else None)
    return WelcomeForm(request.form) if sent else WelcomeForm(data={"name": staff.name})


def _ask_password(form: Any, staff: Staff | None) -> str:
    return render_template("admin/welcome/password.html", form=form, member=staff)


def _ask_factor(form: CodeForm, problem: str = "") -> str:
    member = _member()
    with handfast().database.read() as database:
        secret = enrolling.waiting_totp(database, session_id(), staff_here())
    shown = {} if secret is None else secret_shown(secret, member.login)
    return render_template(
        "admin/welcome/factor.html",
        form=form,
        passkey_form=PasskeyForm(),
        problem=problem,
        **shown,
    )
