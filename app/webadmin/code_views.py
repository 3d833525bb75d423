"""A code to type, for somebody on the telephone: made, shown once, watched, ended."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.wrappers import Response
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from app.activation.code_status import CodeStatus
from app.activation.codes import MadeCode
from app.activation.portal_keys import portal_keys
from app.activation.views import is_navigation
from app.client.services import trust_fingerprint
from app.code_words import status_json, told, tries
from app.extensions import handfast
from app.permissions import require
from app.provisioning import codes
from app.provisioning.acts import (
    LONGEST_REASON,
    SHORTEST_REASON,
    DisabledPersonError,
    GoneError,
    ReasonError,
    UnusableError,
    usable_reason,
)
from app.rights import Permission
from app.spelling import spelled
from app.staff.reach import find
from app.webadmin import notices
from app.webadmin.act_views import acting_here
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.words_for_people import SERVICE_NAMES


class ReasonForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why it is done."""

    reason = StringField(
        _("Why"),
        [
            InputRequired(_("Say why: the person reads it.")),
            Length(SHORTEST_REASON, LONGEST_REASON, _("Use 3 to 200 characters.")),
        ],
        description=_("The person reads this."),
    )


@webadmin.get("/people/<person_id>/code")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def make_code(person_id: str) -> str:
    """Ask for which services a code is to be made, and why."""
    return _ask(person_id, {})


@webadmin.post("/people/<person_id>/code")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def show_code(person_id: str) -> Any:
    """Make the code and show it: this answer is the only place where it stands."""
    if not is_navigation():
        # A script's fetch could read the code.
        abort(400)
    here, actor = handfast(), current_staff().as_actor()
    wanted, reason = request.form.getlist("service"), request.form.get("reason", "")
    try:
        with here.database.write() as session:
            made = codes.make_code_for(
                session,
                actor,
                person_id,
                wanted,
                reason=reason,
                here=acting_here(),
                keys=portal_keys(),
            )
    except ReasonError:
        return _ask(person_id, {"reason": gettext("Say why, in 3 to 200 characters.")}), 400
    except UnusableError:
        return _ask(person_id, {"services": gettext("Choose at least one service.")}), 400
    except DisabledPersonError:
        text = gettext("This person is disabled: nothing can be set up for them.")
        return _ask(person_id, {"services": text}), 409
    return _page(made.activation_id, made)


@webadmin.get("/codes/<activation_id>")
@require(Permission.PEOPLE_PROVISION)
def code(activation_id: str) -> str:
    """Show how a code stands; the code itself is not shown again."""
    return _page(activation_id, None)


@webadmin.get("/codes/<activation_id>/status")
@require(Permission.PEOPLE_PROVISION)
def code_state(activation_id: str) -> Response:
    """Tell the page's script the same."""
    return jsonify(status_json(_status(activation_id), handfast().clock.now()))


@webadmin.get("/codes/<activation_id>/end")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def ask_end_code(activation_id: str) -> str:
    """Ask before a code ends."""
    return _ask_end(_status(activation_id), ReasonForm())


@webadmin.post("/codes/<activation_id>/end")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def end_code(activation_id: str) -> Any:
    """End a code that nobody has used."""
    form = ReasonForm(request.form)
    if not _is_usable(form):
        return _ask_end(_status(activation_id), form), 400
    with handfast().database.write() as session:
        actor = current_staff().as_actor()
        try:
            codes.end_code_for(
                session, actor, activation_id, reason=form.reason.data, here=acting_here()
            )
            notices.leave(session, gettext("The code was ended."))
        except GoneError:
            notices.leave(session, gettext("The code was over already."), is_error=True)
    return redirect(url_for(".code", activation_id=activation_id), 303)


@webadmin.get("/codes/<activation_id>/device")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def ask_confirm_device(activation_id: str) -> str:
    """Ask before staff say for somebody whose device it is."""
    return _ask_confirm(_status(activation_id), ReasonForm())


@webadmin.post("/codes/<activation_id>/device")
@require(Permission.PEOPLE_PROVISION)
@require_fresh
def confirm_device(activation_id: str) -> Any:
    """Note that the caller knows the device which used the code."""
    form = ReasonForm(request.form)
    if not _is_usable(form):
        return _ask_confirm(_status(activation_id), form), 400
    with handfast().database.write() as session:
        actor, reason = current_staff().as_actor(), form.reason.data
        try:
            codes.confirm_device_for(
                session, actor, activation_id, reason=reason, here=acting_here()
            )
            notices.leave(session, gettext("The device is confirmed."))
        except GoneError:
            text = gettext("Nobody is asked about this device any more.")
            notices.leave(session, text, is_error=True)
    return redirect(url_for(".code", activation_id=activation_id), 303)


def _is_usable(form: ReasonForm) -> bool:
    if not form.validate():
        return False
    try:
        usable_reason(form.reason.data)
    except ReasonError:
        form.reason.errors = [gettext("Say why, in 3 to 200 characters.")]
        return False
    return True


def _status(activation_id: str) -> CodeStatus:
    here = handfast()
    with here.database.read() as session:
        actor = current_staff().as_actor()
        return codes.status_for(session, actor, activation_id, now=here.clock.now())


def _ask(person_id: str, errors: dict[str, str]) -> str:
    with handfast().database.read() as session:
        person = find(session, current_staff().as_actor(), person_id)
        offered = codes.choices(session, person_id)
    first = offered[0].address if offered else None
    chosen = request.form.getlist("service") if request.form else None
    if chosen is None:
        chosen = [choice.id for choice in offered if choice.address == first]
    return render_template(
        "admin/codes/make.html",
        person=person,
        address=first or person_id,
        choices=offered,
        chosen=chosen,
        reason=request.form.get("reason", ""),
        errors=errors,
        names=SERVICE_NAMES,
    )


def _page(activation_id: str, made: MadeCode | None) -> str:
    here, status = handfast(), _status(activation_id)
    with here.database.read() as session:
        person = find(session, current_staff().as_actor(), status.person_id)
    return render_template(
        "admin/codes/code.html",
        person=person,
        address=status.services[0][1] if status.services else status.person_id,
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


def _ask_end(status: CodeStatus, form: ReasonForm) -> str:
    return render_template(
        "admin/codes/act.html",
        status=status,
        form=form,
        heading=gettext("End this code?"),
        button=gettext("End the code"),
        action=url_for(".end_code", activation_id=status.activation_id),
        what=gettext("Nobody can use it any more. Keys that it led to are not touched."),
        danger=True,
    )


def _ask_confirm(status: CodeStatus, form: ReasonForm) -> str:
    return render_template(
        "admin/codes/act.html",
        status=status,
        form=form,
        heading=gettext("Is this the caller's device?"),
        button=gettext("Yes, it is theirs"),
        action=url_for(".confirm_device", activation_id=status.activation_id),
        what=gettext(
            "The code was used by “%(device)s”. Say yes only if the caller told you this name,"
            " before you said it.",
            device=status.device or "?",
        ),
        danger=False,
    )
