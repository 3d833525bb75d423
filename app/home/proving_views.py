"""The page on which a person proves an address by a mail that was sent to it."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from app import notices
from app.accounts import challenges, proof
from app.activation.portal_keys import portal_keys
from app.extensions import handfast
from app.home.forms import CodeForm
from app.home.services import AccountView, find_account
from app.home.views import home
from app.mailservers.address import parse
from app.permissions import current_person, require
from app.rights import Permission

__all__ = ["home"]


@home.get("/mail-accounts/<account_id>/prove")
@require(Permission.OWN)
def prove(account_id: str) -> Any:
    """Ask whether a mail may be sent, or for the code in it; the link in the mail leads here."""
    found = _find(account_id)
    if found.is_proven:
        return redirect(url_for(".account", account_id=account_id), 303)
    return _page(found, CodeForm())


@home.post("/mail-accounts/<account_id>/prove/mail")
@require(Permission.OWN)
def send_proof(account_id: str) -> Any:
    """Have a mail with a code sent to the address."""
    found, here, person = _find(account_id), handfast(), current_person()
    try:
        challenges.ask(
            here.database, person.id, account_id, now=here.clock.now(), entropy=here.entropy
        )
    except challenges.NoAccountError:
        # It was removed on another page a moment ago.
        abort(404)
    except challenges.ProvenAlreadyError:
        return redirect(url_for(".account", account_id=account_id), 303)
    except proof.AddressTakenError:
        return _page(found, CodeForm(), is_taken=True), 409
    return redirect(url_for(".prove", account_id=account_id), 303)


@home.post("/mail-accounts/<account_id>/prove")
@require(Permission.OWN)
def answer_proof(account_id: str) -> Any:
    """Take the code."""
    found, form = _find(account_id), CodeForm(request.form)
    if found.is_proven:
        return redirect(url_for(".account", account_id=account_id), 303)
    if not form.validate():
        return _page(found, form), 400
    try:
        _answer(account_id, form.code.data)
    except challenges.WrongCodeError as wrong:
        form.code.errors = [_wrong(wrong.left)]
    except challenges.NoAccountError:
        abort(404)
    except challenges.NoChallengeError:
        return _page(found, CodeForm(), is_ended=True), 400
    except proof.AddressTakenError:
        return _page(found, form, is_taken=True), 409
    else:
        return _done(found)
    return _page(found, form), 400


def _answer(account_id: str, typed: str) -> None:
    here = handfast()
    making = proof.Here(now=here.clock.now(), shard=here.config.shard, entropy=here.entropy)
    challenges.answer(
        here.database,
        current_person().id,
        account_id,
        typed,
        keys=portal_keys().staff,
        here=making,
    )


def _done(found: AccountView) -> Response:
    here = handfast()
    with here.database.write() as session:
        notices.leave(session, gettext("%(address)s is proven to be yours."), address=found.address)
    return redirect(url_for(".account", account_id=found.id), 303)


def _wrong(left: int) -> str:
    if left == 0:
        return str(gettext("This is not the code, and it was the last try: have a new mail sent."))
    return str(
        ngettext(
            "This is not the code. You can try once more.",
            "This is not the code. You can try %(num)s more times.",
            left,
        )
    )


def _page(
    found: AccountView, form: CodeForm, *, is_taken: bool = False, is_ended: bool = False
) -> str:
    here = handfast()
    with here.database.read() as session:
        challenge = challenges.find(session, current_person().id, found.id, now=here.clock.now())
    return render_template(
        "home/prove.html",
        account=found,
        # A look-alike is shown in both forms, since a mail goes there.
        forms=parse(found.address).forms,
        form=form,
        challenge=challenge if challenge is not None and challenge.left > 0 else None,
        is_taken=is_taken,
        is_ended=is_ended,
    )


def _find(account_id: str) -> AccountView:
    here = handfast()
    with here.database.read() as session:
        found = find_account(session, current_person().id, account_id, now=here.clock.now())
    return found or abort(404)
