"""Tokens of the administration's REST API: made, shown once, ended."""

from __future__ import annotations

from typing import Final

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.tokens import services
from app.tokens.services import NotGrantableError, TokenView
from app.webadmin import notices
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.gate import current_staff
from app.webadmin.import_forms import TokenForm

SCOPES: Final = {
    Permission.PEOPLE_SEE: lazy_gettext("see people and what they have"),
    Permission.PEOPLE_PROVISION: lazy_gettext("invite people and choose their services"),
    Permission.DEVICES_REVOKE: lazy_gettext("revoke keys and devices, and remove keys from them"),
    Permission.PEOPLE_IMPORT: lazy_gettext("invite whole lists"),
    Permission.PEOPLE_DISABLE: lazy_gettext("shut people out, and let them in again"),
    Permission.GROUPS_MANAGE: lazy_gettext("make and change groups"),
    Permission.AUDIT_SEE: lazy_gettext("read the audit"),
    Permission.METRICS_READ: lazy_gettext("read the metrics"),
}


@webadmin.get("/tokens")
@require(Permission.TOKENS_MANAGE)
@require_fresh
def tokens() -> str:
    """Show the tokens, and the form for another one."""
    return _index(_form())


@webadmin.post("/tokens")
@require(Permission.TOKENS_MANAGE)
@require_fresh
def make_token() -> Response | tuple[str, int]:
    """Make a token and show it, this once."""
    here, form = handfast(), _form()
    if not form.validate():
        return _index(form), 400
    try:
        with here.database.write() as session:
            made = services.make(
                session,
                current_staff().as_actor(),
                name=form.name.data,
                scopes=[Permission(one) for one in form.scopes.data],
                days=form.days.data,
                now=here.clock.now(),
                entropy=here.entropy,
            )
    except NotGrantableError:
        abort(403)
    page = render_template("admin/tokens/made.html", name=form.name.data, text=made.text)
    return make_response(page)


@webadmin.get("/tokens/<token_id>/end")
@require(Permission.TOKENS_MANAGE)
@require_fresh
def ask_end_token(token_id: str) -> str:
    """Ask before a token ends."""
    return render_template("admin/tokens/end.html", token=_token(token_id))


@webadmin.post("/tokens/<token_id>/end")
@require(Permission.TOKENS_MANAGE)
@require_fresh
def end_token(token_id: str) -> Response:
    """End a token; one that has ended already stays so."""
    here, token = handfast(), _token(token_id)
    with here.database.write() as session:
        actor = current_staff().as_actor()
        if services.end(session, actor, token_id, now=here.clock.now()):
            notices.leave(session, gettext("The token %(name)s was ended."), name=token.name)
    return make_response(redirect(url_for(".tokens"), 303))


def _form() -> TokenForm:
    form = TokenForm(request.form)
    grantable = services.grantable(current_staff().permissions)
    form.scopes.choices = [(one.value, SCOPES[one]) for one in grantable]
    return form


def _index(form: TokenForm) -> str:
    here = handfast()
    with here.database.read() as session:
        found = services.list_tokens(session, now=here.clock.now())
    return render_template("admin/tokens/index.html", form=form, tokens=found, scopes=SCOPES)


def _token(token_id: str) -> TokenView:
    here = handfast()
    with here.database.read() as session:
        found = services.list_tokens(session, now=here.clock.now())
    return next((one for one in found if one.id == token_id), None) or abort(404)
