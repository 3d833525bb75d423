"""The activation's document, its pages, and the state that they poll."""

from __future__ import annotations

import logging
from typing import Any, Final

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import logs, notices, security
from app.activation import services
from app.activation.forms import FormError, Wanted, is_public_id, read_device, read_wanted
from app.activation.overview import (
    ActivationView,
    bound_device,
    find_activation,
    list_activations,
    owns_account,
    service_ids,
)
from app.activation.portal_keys import portal_keys
from app.clock import SECOND
from app.devices.unconfirmed import UnconfirmedDevice, find_unconfirmed, list_unconfirmed
from app.extensions import handfast
from app.keystore.provider import KeyStoreError
from app.keystore.rings import PortalKeys
from app.permissions import current_person, require
from app.rights import Permission
from app.words_for_people import SERVICE_NAMES
from protocol import media_type

DOCUMENT_HEADERS: Final = {
    "Content-Disposition": f'attachment; filename="{media_type.FILE_NAME}"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
# Before the form has arrived, its ticket names nothing; that is no error.
NOT_YET: Final = {"state": "none", "stage": "none", "id": None}

activation = Blueprint("activation", __name__)


@activation.get("/activations")
@require(Permission.OWN)
def index() -> str:
    """Show the latest activations."""
    here = handfast()
    with here.database.read() as session:
        found = list_activations(session, current_person().id, now=here.clock.now())
        waiting = list_unconfirmed(session, current_person().id, now=here.clock.now())
    return render_template(
        "activation/index.html",
        activations=found,
        unconfirmed_ids={each.id for each in waiting},
        names=SERVICE_NAMES,
    )


@activation.post("/activations")
@require(Permission.OWN)
def activate() -> Response:
    """Answer with the document where a handler takes it, else lead to the page that says how."""
    require_navigation()
    try:
        wanted = read_wanted(request.form)
        device = read_device(request.headers.get("Handfast-Device"))
    except FormError:
        abort(400)
    if not wanted.services:
        with handfast().database.write() as session:
            text = gettext("Choose at least one service, then activate again.")
            notices.leave(session, text, is_error=True)
        return redirect(url_for("home.index"), 303)
    order = _order(wanted)
    try:
        if wanted.as_document or media_type.accepts_activation(request.headers.get("Accept", "")):
            bound_jkt = device or _bound_before(wanted)
            return _document(services.issue(**order, keys=_keys(), bound_jkt=bound_jkt))
        activation_id = services.request_activation(**order)
    except services.NotAllowedError:
        abort(404)
    return redirect(url_for(".page", activation_id=activation_id), 303)


@activation.get("/activations/<activation_id>")
@require(Permission.OWN)
def page(activation_id: str) -> str | Response:
    """Show how an activation stands and how to go on with it."""
    found, status = _find(activation_id), _status(activation_id)
    if status.id != found.id:
        return redirect(url_for(".page", activation_id=status.id), 303)
    if found.rotates is not None:
        return redirect(url_for("devices.key", key_id=found.rotates), 303)
    if found.is_code and found.redeemed_at is None:
        return redirect(url_for(".code", activation_id=activation_id), 303)
    security.allow_frame()
    if request.headers.get("Sec-Fetch-Dest") == "iframe":
        # The form of "Your account" was sent into its frame and no handler took the answer.
        security.allow_being_framed()
    return render_template(
        "activation/page.html",
        activation=found,
        asked=_asked(found.device_id),
        status=status,
        names=SERVICE_NAMES,
        at=_at(status),
        issuer=handfast().config.issuer,
    )


@activation.get("/activations/<activation_id>/status")
@require(Permission.OWN)
def status_of(activation_id: str) -> Response:
    """Tell a page's script how an activation stands."""
    return jsonify(_status(activation_id).to_json())


@activation.get("/activations/by-ticket/<ticket>/status")
@require(Permission.OWN)
def status_of_ticket(ticket: str) -> Response:
    """Tell it by the page's ticket, which it knows before there is an activation."""
    if not is_public_id(ticket):
        abort(404)
    here = handfast()
    found = services.ticket_status(
        here.database, person_id=current_person().id, ticket=ticket, now=here.clock.now()
    )
    return jsonify(NOT_YET if found is None else found.to_json())


@activation.get("/activations/<activation_id>/revoke")
@require(Permission.OWN)
def ask_revoke(activation_id: str) -> str:
    """Ask before an activation ends or is undone."""
    found, status = _find(activation_id), _status(activation_id)
    return render_template(
        "activation/revoke.html",
        activation=found,
        status=status,
        names=SERVICE_NAMES,
        at=_at(status),
    )


@activation.post("/activations/<activation_id>/revoke")
@require(Permission.OWN)
def revoke(activation_id: str) -> Response:
    """End an open activation, or undo one that a device has used."""
    found = _find(activation_id)
    here = handfast()
    services.revoke_activation(
        here.database,
        person_id=current_person().id,
        activation_id=activation_id,
        now=here.clock.now(),
    )
    if found.device_id is not None:
        return redirect(url_for("devices.device", device_id=found.device_id), 303)
    return redirect(url_for(".page", activation_id=activation_id), 303)


def require_navigation() -> None:
    """Refuse what is not a person's own form: a script's fetch could read document or code."""
    if not is_navigation():
        abort(403)


def is_navigation() -> bool:
    """Tell whether a browser sent a person's form from one of our pages, and shows the answer."""
    sent = request.headers
    return (
        sent.get("Sec-Fetch-Site") == "same-origin"
        and sent.get("Sec-Fetch-Mode") == "navigate"
        and sent.get("Sec-Fetch-Dest") in {"document", "iframe"}
    )


def _order(wanted: Wanted) -> dict[str, Any]:
    here = handfast()
    person_id, now = current_person().id, here.clock.now()
    with here.database.read() as session:
        if not owns_account(session, person_id, wanted.account_id):
            abort(404)
        ids = service_ids(session, person_id, wanted.account_id, wanted.services)
    return {
        "database": here.database,
        "person_id": person_id,
        "account_service_ids": ids,
        "ticket": wanted.ticket,
        "now": now,
        "entropy": here.entropy,
        "config": here.config,
    }


def _bound_before(wanted: Wanted) -> str | None:
    """Return the device that the activation is for already: a reissue stays with it."""
    with handfast().database.read() as session:
        return bound_device(session, current_person().id, wanted.ticket)


def _keys() -> PortalKeys:
    try:
        return portal_keys()
    except KeyStoreError as error:
        logs.event("no keys to issue with", logging.ERROR, why=str(error), hint=error.hint)
        abort(503)


def _document(issued: services.Issued) -> Response:
    response = Response(issued.document, content_type=media_type.ACTIVATION)
    response.headers.update(DOCUMENT_HEADERS)
    return response


def _find(activation_id: str) -> ActivationView:
    here = handfast()
    with here.database.read() as session:
        found = find_activation(session, current_person().id, activation_id, now=here.clock.now())
    return found or abort(404)


def _status(activation_id: str) -> services.ActivationStatus:
    here = handfast()
    found = services.activation_status(
        here.database,
        person_id=current_person().id,
        activation_id=activation_id,
        now=here.clock.now(),
    )
    return found or abort(404)


def _asked(device_id: str | None) -> UnconfirmedDevice | None:
    here = handfast()
    with here.database.read() as session:
        return find_unconfirmed(session, current_person().id, device_id, now=here.clock.now())


def _at(status: services.ActivationStatus) -> int | None:
    return None if status.at is None else status.at * SECOND
