"""A code to type on a device, which the person makes for themselves and reads off this page."""

from __future__ import annotations

from flask import abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.activation.account_services import NotAllowedError
from app.activation.code_status import CodeStage, CodeStatus, code_status
from app.activation.codes import MadeCode, make_code
from app.activation.forms import FormError, read_wanted
from app.activation.overview import owns_account, service_ids
from app.activation.portal_keys import portal_keys
from app.activation.views import activation, require_navigation
from app.client.services import trust_fingerprint
from app.code_words import status_json, told, tries
from app.extensions import handfast
from app.permissions import current_person, require
from app.rights import Permission
from app.spelling import spelled
from app.throttle import PER_CODE_MAKER, take
from app.words_for_people import SERVICE_NAMES

__all__ = ["activation"]


@activation.post("/activations/codes")
@require(Permission.OWN)
def show_code() -> str | Response:
    """Make a code for the chosen services and show it: nothing else has its text."""
    require_navigation()
    here, person_id = handfast(), current_person().id
    try:
        wanted = read_wanted(request.form)
    except FormError:
        abort(400)
    if not wanted.services:
        return redirect(url_for("home.index"), 303)
    try:
        with here.database.write() as session:
            if not owns_account(session, person_id, wanted.account_id):
                abort(404)
            take(session, PER_CODE_MAKER, person_id, now=here.clock.now())
            made = make_code(
                session.connection(),
                person_id=person_id,
                account_service_ids=service_ids(
                    session, person_id, wanted.account_id, wanted.services
                ),
                made_by=None,
                now=here.clock.now(),
                entropy=here.entropy,
                keys=portal_keys(),
                config=here.config,
            )
    except NotAllowedError:
        abort(404)
    return _page(_status(made.activation_id), made)


@activation.get("/activations/<activation_id>/code")
@require(Permission.OWN)
def code(activation_id: str) -> str | Response:
    """Show how a code stands; the code itself is not shown again."""
    status = _status(activation_id)
    if status.stage is CodeStage.USED:
        return redirect(url_for(".page", activation_id=activation_id), 303)
    return _page(status, None)


@activation.get("/activations/<activation_id>/code/status")
@require(Permission.OWN)
def code_state(activation_id: str) -> Response:
    """Tell the page's script the same."""
    return jsonify(status_json(_status(activation_id), handfast().clock.now()))


def _status(activation_id: str) -> CodeStatus:
    here = handfast()
    with here.database.read() as session:
        person_id = current_person().id
        status = code_status(session, person_id, activation_id, now=here.clock.now())
    return status or abort(404)


def _page(status: CodeStatus, made: MadeCode | None) -> str:
    here = handfast()
    return render_template(
        "activation/code.html",
        status=status,
        told=told(status),
        tries=tries(status),
        text=None if made is None else made.text,
        groups=() if made is None else spelled(made.text),
        now=here.clock.now(),
        issuer=here.config.issuer,
        fingerprint=trust_fingerprint(here.config.keys_dir),
        names=SERVICE_NAMES,
    )
