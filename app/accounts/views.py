"""Signing in, adding an account, signing out. The work is done elsewhere; these answer."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    abort,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import notices, web_session
from app.accounts import mail_checks, proof, services, sessions
from app.accounts.causes import sentence
from app.accounts.forms import MAX_ADDRESS, AddressForm, PasswordForm, ServerForm
from app.accounts.mail_work import Try
from app.accounts.targets import HOME, allowed_target
from app.clock import DAY
from app.extensions import handfast
from app.mailservers.address import parse
from app.mailservers.causes import Cause
from app.mailservers.server import Security, manual
from app.permissions import current_person, is_signed_in, require
from app.rights import Permission

blueprint = Blueprint("accounts", __name__)

# How long an answer waits for work that is nearly always done at once, in seconds.
PATIENCE = 0.4


@blueprint.get("/sign-in")
def sign_in() -> str | Response:
    """Ask for the mail address."""
    wanted = allowed_target(request.args.get("next"))
    if is_signed_in():
        return redirect(wanted, 303)
    form = AddressForm(data={"address": request.args.get("address", "")[:MAX_ADDRESS]})
    return render_template("accounts/sign_in.html", form=form, next=wanted)


@blueprint.post("/sign-in")
def begin() -> Any:
    """Start a sign-in with the address."""
    form = AddressForm(request.form)
    wanted = allowed_target(request.form.get("next"))
    if is_signed_in():
        # An old sign-in page must not add somebody's account to whoever signed in since.
        return redirect(wanted, 303)
    if not form.validate():
        return render_template("accounts/sign_in.html", form=form, next=wanted), 400
    return _begin(form, wanted)


@blueprint.get("/accounts/add")
@require(Permission.OWN)
def add() -> str:
    """Ask for the address of a further account."""
    form = AddressForm(data={"address": request.args.get("address", "")[:MAX_ADDRESS]})
    return render_template("accounts/add.html", form=form)


@blueprint.post("/accounts/add")
@require(Permission.OWN)
def begin_adding() -> Any:
    """Start to add a further account."""
    form = AddressForm(request.form)
    if not form.validate():
        return render_template("accounts/add.html", form=form), 400
    return _begin(form, HOME)


@blueprint.get("/sign-in/<check_id>")
def progress(check_id: str) -> Any:
    """Show where the check stands: working, a credential wanted, failed, or accepted."""
    return _page(_find(check_id), PasswordForm())


@blueprint.get("/sign-in/<check_id>/status")
def status(check_id: str) -> Response:
    """Tell the page's script where the check stands."""
    check = _find(check_id)
    return jsonify(step=check.step, working=check.is_working)


@blueprint.post("/sign-in/<check_id>/credential")
def give_credential(check_id: str) -> Any:
    """Try a credential at the mail server that was found."""
    here, check, form = handfast(), _find(check_id), PasswordForm(request.form)
    if check.server is None or not _may_go_on(check):
        return redirect(url_for(".progress", check_id=check_id), 303)
    if not form.validate():
        return _page(check, form), 400
    now, client = here.clock.now(), web_session.client()
    here.throttles.count_request(client.address, now=now)
    for account in sorted(check.guessable):
        here.throttles.count_credential(account, client.address, now=now)
    with here.database.write() as database:
        started = mail_checks.start(database, check_id, now=now)
    if started:
        attempt = Try(
            check_id,
            check.guessable,
            check.server,
            check.username,
            form.password.data,
            client.address,
        )
        here.mail.attempt(attempt).wait(PATIENCE)
    return redirect(url_for(".progress", check_id=check_id), 303)


@blueprint.get("/accounts/add/<check_id>/server")
@require(Permission.OWN)
def server(check_id: str) -> Any:
    """Ask for a mail server by name; it can add an account and proves nothing."""
    check = _find(check_id)
    found = check.server
    form = ServerForm(
        data={
            "host": found.host if found else "",
            "port": found.port if found else 993,
            "security": found.security if found else "tls",
            "username": check.username or check.address,
        }
    )
    return render_template("accounts/server.html", form=form, check=check)


@blueprint.post("/accounts/add/<check_id>/server")
@require(Permission.OWN)
def choose_server(check_id: str) -> Any:
    """Use the named mail server for this account."""
    here, check, form = handfast(), _find(check_id), ServerForm(request.form)
    if not form.validate():
        return render_template("accounts/server.html", form=form, check=check), 400
    security: Security = "starttls" if form.security.data == "starttls" else "tls"
    domain = parse(check.address).domain
    named = manual(domain, form.host.data, form.port.data, security)
    with here.database.write() as database:
        mail_checks.choose(database, check_id, named, form.username.data)
    return redirect(url_for(".progress", check_id=check_id), 303)


@blueprint.post("/sign-in/<check_id>/finish")
def finish(check_id: str) -> Response:
    """Turn an accepted check into a session, or into a further account."""
    session_id = web_session.browser().session_id
    if session_id is None:
        abort(404)
    # Which button of the page that asks whose the address is; there is no other value.
    anew = request.form.get("anew") == "yes"
    try:
        if is_signed_in():
            return _add_account(check_id, anew=anew)
        return _sign_in(check_id, session_id, anew=anew)
    except proof.StartAnewError as asked:
        return _ask_whose(check_id, asked)
    except proof.PersonDisabledError:
        return Response(render_template("accounts/shut_out.html"), 403, mimetype="text/html")
    except services.NothingToFinishError:
        return redirect(url_for(".progress", check_id=check_id), 303)
    except proof.NotProvenError:
        abort(403)


@blueprint.post("/sign-out")
@require(Permission.OWN)
def sign_out() -> Response:
    """End this session."""
    here, person = handfast(), current_person()
    with here.database.write() as database:
        sessions.end(
            database,
            person.session_id,
            person.id,
            by_session=person.session_id,
            now=here.clock.now(),
        )
    web_session.dropped()
    return redirect(url_for(".sign_in"), 303)


def _begin(form: AddressForm, wanted: str) -> Response:
    here, address = handfast(), form.parsed
    if address is None:
        abort(400)
    now, client = here.clock.now(), web_session.client()
    here.throttles.count_request(client.address, now=now)
    session_id = web_session.ensure_row()
    with here.database.write() as database:
        sessions.NOTES.put(database, session_id, services.NEXT, wanted)
        check_id = mail_checks.begin(
            database, session_id, address.text, now=now, entropy=here.entropy
        )
    here.mail.find(check_id, address, client.address).wait(PATIENCE)
    return redirect(url_for(".progress", check_id=check_id), 303)


def _find(check_id: str) -> mail_checks.View:
    here, current = handfast(), web_session.browser()
    now = here.clock.now()
    with here.database.read() as database:
        check = mail_checks.find(database, check_id, current.session_id, now=now)
    if check is None:
        abort(404)
    if here.mail.is_lost(check, now=now):
        with here.database.write() as database:
            mail_checks.end(database, check_id, Cause.UNDECIDED)
            return mail_checks.find(database, check_id, current.session_id, now=now) or abort(404)
    return check


def _page(check: mail_checks.View, form: PasswordForm) -> str | Response:
    """Return the page that fits where the check stands."""
    facts: dict[str, Any] = {
        "check": check,
        "server": check.server,
        "forms": parse(check.address).forms,
        "adding": is_signed_in(),
    }
    if check.used:
        return redirect(HOME, 303)
    if check.is_working:
        return render_template("accounts/progress.html", **facts)
    if check.outcome == mail_checks.ACCEPTED:
        return render_template("accounts/accepted.html", **facts)
    problem = sentence(check)
    if not _may_go_on(check):
        return render_template("accounts/dead_end.html", problem=problem, **facts)
    app_password = check.wants_app_password
    if app_password:
        form.password.label.text = gettext("App password")
    if problem and check.is_about_credential and not form.errors:
        form.password.errors = [problem.text]
    return render_template(
        "accounts/credential.html", form=form, problem=problem, app_password=app_password, **facts
    )


def _may_go_on(check: mail_checks.View) -> bool:
    """Tell whether asking for a credential makes sense."""
    if check.server is None or check.wants_provider_sign_in:
        return False
    # A server that proves nothing is used when the person named it, not because it was guessed.
    return check.server.may_sign_in or (is_signed_in() and check.named)


def _here() -> proof.Here:
    here = handfast()
    quiet = here.config.quiet_days * DAY
    return proof.Here(here.clock.now(), here.config.shard, here.entropy, quiet)


def _ask_whose(check_id: str, asked: proof.StartAnewError) -> Response:
    """Ask the only one who can know whether the address was theirs before."""
    page = render_template(
        "accounts/start_anew.html",
        check=_find(check_id),
        forms=parse(asked.address).forms,
        is_announced=asked.is_announced,
        adding=is_signed_in(),
    )
    return Response(page, 409, mimetype="text/html")


def _sign_in(check_id: str, session_id: str, *, anew: bool) -> Response:
    here = handfast()
    made = services.sign_in(
        here.database,
        check_id,
        session_id,
        web_session.client(),
        _here(),
        lifetime=web_session.lifetime(),
        anew=anew,
    )
    web_session.renewed(made.token, made.session_id, made.person_id)
    return redirect(allowed_target(made.wanted), 303)


def _add_account(check_id: str, *, anew: bool) -> Response:
    here, person, is_error = handfast(), current_person(), True
    names: dict[str, str] = {}
    try:
        address = services.add_account(
            here.database, check_id, person.session_id, person.id, _here(), anew=anew
        )
    except proof.AddressTakenError as taken:
        text = gettext("%(address)s belongs to another sign-in here. Sign out and sign in with it.")
        names = {"address": taken.address}
    except proof.TooManyAccountsError:
        text = gettext("You have as many accounts as one person may have here.")
    else:
        text, is_error = gettext("%(address)s was added."), False
        names = {"address": address}
    with here.database.write() as database:
        notices.leave(database, text, is_error=is_error, **names)
    return redirect(HOME, 303)
