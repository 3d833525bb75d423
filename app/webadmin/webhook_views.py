"""Outside systems that are told of acts: added, paused, ended, tested, looked after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms import Form, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from app.activation.portal_keys import portal_keys
from app.auditing.names import ACT_NAMES
from app.extensions import handfast
from app.people.timeline import names_of
from app.permissions import require
from app.rights import Permission
from app.webadmin import notices
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.webadmin.timeline import who
from app.webhooks import services
from app.webhooks.posting import LONGEST_URL, UrlError
from app.webhooks.services import EVERY_ACT, LONGEST_NAME, TOLD, NoWebhookError, WebhookError

ACTS: Final = [
    SelectChoice(EVERY_ACT, _("Everything")),
    *(SelectChoice(act.value, ACT_NAMES[act]) for act in TOLD),
]


class WebhookForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What an outside system is called, where it is, and what it is told."""

    name = StringField(
        _("Name"),
        [InputRequired(_("Give it a name.")), Length(max=LONGEST_NAME)],
        render_kw={"autocomplete": "off", "maxlength": LONGEST_NAME},
    )
    url = StringField(
        _("Address"),
        [InputRequired(_("Enter an address like https://hooks.example.org/handfast."))],
        description=_("It begins with https://. Messages are posted there."),
        render_kw={
            "autocomplete": "off",
            "spellcheck": "false",
            "inputmode": "url",
            "maxlength": LONGEST_URL,
        },
    )
    acts = SelectMultipleField(
        _("What it is told"),
        [InputRequired(_("Choose at least one act."))],
        choices=ACTS,
        render_kw={"size": 12},
    )


@webadmin.get("/webhooks")
@require(Permission.WEBHOOKS_MANAGE)
def webhooks() -> str:
    """Show which outside systems are told."""
    with handfast().database.read() as session:
        found = services.list_webhooks(session)
    return render_template("admin/webhooks/index.html", webhooks=found)


@webadmin.get("/webhooks/new")
@require(Permission.WEBHOOKS_MANAGE)
@require_fresh
def new_webhook() -> str:
    """Ask whom to tell what."""
    return render_template("admin/webhooks/new.html", form=WebhookForm())


@webadmin.post("/webhooks/new")
@require(Permission.WEBHOOKS_MANAGE)
@require_fresh
def add_webhook() -> Any:
    """Add it and show its secret: this answer is the only place where it stands."""
    here, form = handfast(), WebhookForm(request.form)
    if not form.validate():
        return render_template("admin/webhooks/new.html", form=form), 400
    try:
        with here.database.write() as session:
            added = services.add(
                session,
                name=form.name.data,
                url=form.url.data,
                acts=form.acts.data,
                actor=current_staff().actor,
                sealer=portal_keys().staff,
                now=here.clock.now(),
                entropy=here.entropy,
            )
    except (UrlError, WebhookError) as error:
        _say(form, error)
        return render_template("admin/webhooks/new.html", form=form), 400
    return render_template("admin/webhooks/shown.html", added=added, name=form.name.data)


@webadmin.get("/webhooks/<webhook_id>")
@require(Permission.WEBHOOKS_MANAGE)
def webhook(webhook_id: str) -> str:
    """Show one, and what became of its last messages."""
    with handfast().database.read() as session:
        found = _find(session, webhook_id)
        deliveries = services.list_deliveries(session, webhook_id)
        names = names_of(session, {found.created_by})
    return render_template(
        "admin/webhooks/one.html",
        webhook=found,
        maker=who(found.created_by, names, ""),
        deliveries=deliveries,
        act_names={str(act): name for act, name in ACT_NAMES.items()},
        every=EVERY_ACT,
    )


@webadmin.post("/webhooks/<webhook_id>/pause")
@require(Permission.WEBHOOKS_MANAGE)
def pause_webhook(webhook_id: str) -> Response:
    """Stop telling it for a while."""
    told = gettext("It is told nothing until it goes on.")
    return _change(webhook_id, services.pause, told)


@webadmin.post("/webhooks/<webhook_id>/resume")
@require(Permission.WEBHOOKS_MANAGE)
def resume_webhook(webhook_id: str) -> Response:
    """Let it go on where it stopped."""
    return _change(webhook_id, services.resume, gettext("It goes on where it stopped."))


@webadmin.post("/webhooks/<webhook_id>/test")
@require(Permission.WEBHOOKS_MANAGE)
def test_webhook(webhook_id: str) -> Response:
    """Send it a test."""
    told = gettext("A test is on its way. Open this page again in a moment.")
    return _change(webhook_id, partial(services.test, entropy=handfast().entropy), told)


@webadmin.get("/webhooks/<webhook_id>/end")
@require(Permission.WEBHOOKS_MANAGE)
@require_fresh
def end_webhook(webhook_id: str) -> str:
    """Ask before it ends for good."""
    with handfast().database.read() as session:
        found = _find(session, webhook_id)
    return render_template("admin/webhooks/end.html", webhook=found)


@webadmin.post("/webhooks/<webhook_id>/end")
@require(Permission.WEBHOOKS_MANAGE)
@require_fresh
def stop_webhook(webhook_id: str) -> Response:
    """End it for good."""
    here = handfast()
    try:
        with here.database.write() as session:
            actor = current_staff().actor
            services.end(session, webhook_id, actor=actor, now=here.clock.now())
            notices.leave(session, gettext("The webhook was ended."))
    except NoWebhookError:
        abort(404)
    return redirect(url_for(".webhooks"), 303)


def _change(webhook_id: str, change: Callable[..., None], told: str) -> Response:
    here, actor = handfast(), current_staff().actor
    try:
        with here.database.write() as session:
            change(session, webhook_id, actor=actor, now=here.clock.now())
            notices.leave(session, told)
    except NoWebhookError:
        abort(404)
    return redirect(url_for(".webhook", webhook_id=webhook_id), 303)


def _find(session: Session, webhook_id: str) -> services.WebhookView:
    try:
        return services.find(session, webhook_id)
    except NoWebhookError:
        abort(404)


def _say(form: WebhookForm, error: UrlError | WebhookError) -> None:
    """Put the error to the field that it is about."""
    if isinstance(error, UrlError):
        form.url.errors = [gettext("Enter an address like https://hooks.example.org/handfast.")]
    elif error.field == "acts":
        form.acts.errors = [gettext("Choose at least one act.")]
    elif error.field == "name":
        form.name.errors = [gettext("Give it a name of one line.")]
    else:
        form.name.errors = [gettext("There are as many webhooks as there may be. End one first.")]
