"""The pages of devices and keys."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import notices
from app.activation import services as acts
from app.devices import services
from app.devices.unconfirmed import find_unconfirmed, list_unconfirmed
from app.extensions import handfast
from app.history.sentences import told
from app.history.services import read_history
from app.permissions import current_person, require
from app.rights import Permission
from app.words_for_people import SERVICE_NAMES

HISTORY_SHOWN: Final = 10

devices = Blueprint("devices", __name__)


@devices.get("/devices")
@require(Permission.OWN)
def index() -> str:
    """Show all devices."""
    here = handfast()
    now = here.clock.now()
    with here.database.read() as session:
        found = services.list_devices(session, current_person().id, now=now)
        waiting = list_unconfirmed(session, current_person().id, now=now)
    names = Counter(each.name for each in found)
    return render_template(
        "devices/index.html",
        devices=found,
        unconfirmed=waiting,
        unconfirmed_ids={each.id for each in waiting},
        now=now,
        repeated={name for name, count in names.items() if count > 1},
        names=SERVICE_NAMES,
    )


@devices.get("/devices/<device_id>")
@require(Permission.OWN)
def device(device_id: str) -> str:
    """Show one device, its keys and what happened to it."""
    found, here = _device(device_id), handfast()
    with here.database.read() as session:
        asked = find_unconfirmed(session, current_person().id, device_id, now=here.clock.now())
        page = read_history(
            session,
            current_person().id,
            targets=(device_id, *(key.id for key in found.keys)),
            actor=f"device:{device_id}",
            limit=HISTORY_SHOWN,
        )
    return render_template(
        "devices/device.html",
        device=found,
        asked=asked,
        now=here.clock.now(),
        names=SERVICE_NAMES,
        lines=[told(entry, current_person().id) for entry in page.entries],
    )


@devices.post("/devices/<device_id>/confirm")
@require(Permission.OWN)
def confirm(device_id: str) -> Response:
    """Note that the person knows a device that used an unbound document."""
    name = _device(device_id).name
    is_confirmed = acts.confirm_device(**_mine(), device_id=device_id)
    with handfast().database.write() as session:
        if is_confirmed:
            notices.leave(session, gettext("%(device)s is confirmed as yours."), device=name)
        else:
            late = gettext("That came too late: its keys have ended. Activate the device again.")
            notices.leave(session, late, is_error=True)
    return redirect(url_for(".device", device_id=device_id), 303)


@devices.get("/devices/<device_id>/revoke")
@require(Permission.OWN)
def ask_revoke_device(device_id: str) -> str:
    """Ask before a device is revoked."""
    found, here = _device(device_id), handfast()
    with here.database.read() as session:
        asked = find_unconfirmed(session, current_person().id, device_id, now=here.clock.now())
    return render_template(
        "devices/revoke_device.html", device=found, asked=asked, names=SERVICE_NAMES
    )


@devices.post("/devices/<device_id>/revoke")
@require(Permission.OWN)
def revoke_device(device_id: str) -> Response:
    """Revoke a device with its keys."""
    _device(device_id)
    acts.revoke_device(**_mine(), device_id=device_id)
    return redirect(url_for(".device", device_id=device_id), 303)


@devices.get("/devices/<device_id>/restore")
@require(Permission.OWN)
def ask_restore(device_id: str) -> str:
    """Ask before a revoked device may come back."""
    return render_template("devices/restore.html", device=_device(device_id))


@devices.post("/devices/<device_id>/restore")
@require(Permission.OWN)
def restore(device_id: str) -> Response:
    """Let a revoked device activate again."""
    _device(device_id)
    acts.restore_device(**_mine(), device_id=device_id)
    return redirect(url_for(".device", device_id=device_id), 303)


@devices.get("/keys/<key_id>")
@require(Permission.OWN)
def key(key_id: str) -> str:
    """Show one key."""
    found, here = _key(key_id), handfast()
    with here.database.read() as session:
        page = read_history(
            session,
            current_person().id,
            targets=(key_id, found.activation_id),
            limit=HISTORY_SHOWN,
            # Each step in the life of this one key is what its owner looks for here.
            is_folded=False,
        )
        successor = services.find_successor(session, found)
    return render_template(
        "devices/key.html",
        key=found,
        successor=successor,
        now=here.clock.now(),
        names=SERVICE_NAMES,
        lines=[told(entry, current_person().id) for entry in page.entries],
    )


@devices.post("/keys/<key_id>/rotate")
@require(Permission.OWN)
def rotate_key(key_id: str) -> Response:
    """Ask the key's device to replace it at its next contact."""
    _key(key_id)
    if not acts.ask_rotation(**_mine(), key_id=key_id):
        with handfast().database.write() as session:
            ended = gettext("This key has ended, so it cannot be replaced.")
            notices.leave(session, ended, is_error=True)
    return redirect(url_for(".key", key_id=key_id), 303)


@devices.get("/keys/<key_id>/revoke")
@require(Permission.OWN)
def ask_revoke_key(key_id: str) -> str:
    """Ask before a key is revoked."""
    return render_template("devices/revoke_key.html", key=_key(key_id), names=SERVICE_NAMES)


@devices.post("/keys/<key_id>/revoke")
@require(Permission.OWN)
def revoke_key(key_id: str) -> Response:
    """Revoke one key."""
    _key(key_id)
    acts.revoke_key(**_mine(), key_id=key_id)
    return redirect(url_for(".key", key_id=key_id), 303)


def _mine() -> dict[str, Any]:
    here = handfast()
    return {
        "database": here.database,
        "person_id": current_person().id,
        "now": here.clock.now(),
    }


def _device(device_id: str) -> services.DeviceView:
    here = handfast()
    with here.database.read() as session:
        found = services.find_device(session, current_person().id, device_id, now=here.clock.now())
    return found or abort(404)


def _key(key_id: str) -> services.KeyView:
    here = handfast()
    with here.database.read() as session:
        found = services.find_key(session, current_person().id, key_id, now=here.clock.now())
    return found or abort(404)
