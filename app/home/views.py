"""The pages "Your account" and one mail account."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import notices, security
from app.activation.overview import ActivationView, list_activations
from app.activation.status import Stage
from app.devices.services import list_keys
from app.devices.unconfirmed import list_unconfirmed
from app.extensions import handfast
from app.history.sentences import told
from app.history.services import read_history
from app.home.services import (
    AccountView,
    LastAccountError,
    find_account,
    is_last_proven,
    list_accounts,
    remove_account,
)
from app.models import ServiceName, new_id
from app.permissions import current_person, require
from app.rights import Permission
from app.words_for_people import SERVICE_NAMES, VOUCHERS

HISTORY_SHOWN: Final = 10

home = Blueprint("home", __name__)


@home.get("/")
@require(Permission.OWN)
def index() -> str:
    """Show the mail accounts, their services, and the way to activate this device."""
    here = handfast()
    with here.database.read() as session:
        accounts = list_accounts(session, current_person().id, now=here.clock.now())
        waiting = list_unconfirmed(session, current_person().id, now=here.clock.now())
        activations = list_activations(session, current_person().id, now=here.clock.now())
    security.allow_frame()
    # A press and a second press carry the same ticket, so that they are one activation.
    tickets = {account.id: new_id(here.entropy) for account in accounts}
    return render_template(
        "home/index.html",
        accounts=accounts,
        unconfirmed=waiting,
        set_up=[_set_up(each) for each in activations if _waits(each)],
        names=SERVICE_NAMES,
        tickets=tickets,
        status=None,
    )


@home.get("/mail-accounts/<account_id>")
@require(Permission.OWN)
def account(account_id: str) -> str:
    """Show one mail account."""
    found, here, person = _find(account_id), handfast(), current_person()
    with here.database.read() as session:
        keys = list_keys(session, person.id, now=here.clock.now())
        page = read_history(
            session,
            person.id,
            targets=(account_id, *(key.id for key in keys if key.account_id == account_id)),
            limit=HISTORY_SHOWN,
        )
    return render_template(
        "home/account.html",
        account=found,
        names=SERVICE_NAMES,
        vouchers=VOUCHERS,
        lines=[told(entry, person.id) for entry in page.entries],
    )


@home.get("/mail-accounts/<account_id>/remove")
@require(Permission.OWN)
def ask_remove(account_id: str) -> str:
    """Ask before an account is removed."""
    found = _find(account_id)
    here = handfast()
    with here.database.read() as session:
        is_last = is_last_proven(session, current_person().id, account_id)
    return render_template("home/remove_account.html", account=found, is_last=is_last)


@home.post("/mail-accounts/<account_id>/remove")
@require(Permission.OWN)
def remove(account_id: str) -> Response:
    """Remove an account with everything that hangs on it."""
    found = _find(account_id)
    here = handfast()
    try:
        with here.database.write() as session:
            remove_account(session, current_person().id, account_id, now=here.clock.now())
            notices.leave(session, gettext("%(address)s was removed."), address=found.address)
    except LastAccountError:
        return redirect(url_for(".ask_remove", account_id=account_id), 303)
    return redirect(url_for(".index"), 303)


def _waits(activation: ActivationView) -> bool:
    return activation.is_set_up and activation.stage is Stage.WAITING


def _set_up(activation: ActivationView) -> dict[str, Any]:
    """Return what the page says of something that staff left waiting."""
    return {
        "id": activation.id,
        "address": ", ".join(activation.addresses),
        "services": [SERVICE_NAMES[ServiceName(grant.service)] for grant in activation.grants],
    }


def _find(account_id: str) -> AccountView:
    here = handfast()
    with here.database.read() as session:
        found = find_account(session, current_person().id, account_id, now=here.clock.now())
    return found or abort(404)
