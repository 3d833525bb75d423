"""One thing of somebody's, as staff see it: a device, a key, an activation. No framework here.

What belongs to somebody out of reach is missing, like what does not exist: OutOfReachError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activation.overview import ActivationView, find_activation
from app.devices.services import DeviceView, KeyView, find_device, find_key, find_successor
from app.models import Activation, Device, Invitation, MailAccount, ServiceKey, WebSession
from app.people.things import DeviceLine, Owner, device_line, owners_of
from app.people.timeline import Timeline, read_timeline
from app.signed_in.services import SessionView, find_session
from app.staff.reach import Actor, OutOfReachError, find

_TABLES: Final[dict[str, Any]] = {
    "device": Device,
    "key": ServiceKey,
    "activation": Activation,
    "session": WebSession,
    "invitation": Invitation,
    "account": MailAccount,
}


@dataclass(frozen=True)
class DevicePage:
    """One device, its keys and what happened to it."""

    owner: Owner
    line: DeviceLine
    device: DeviceView
    wipe_asked_at: int | None
    wiped_at: int | None
    timeline: Timeline


@dataclass(frozen=True)
class KeyPage:
    """One key; never the key itself."""

    owner: Owner
    key: KeyView
    successor: str | None
    timeline: Timeline


@dataclass(frozen=True)
class ActivationPage:
    """One activation, and who made it where that was not the person."""

    owner: Owner
    activation: ActivationView
    is_code: bool
    made_by: str | None
    timeline: Timeline


def owner_of(session: Session, actor: Actor, kind: str, thing_id: str) -> Owner:
    """Return whose thing it is, or raise OutOfReachError."""
    table = _TABLES[kind]
    person_id = session.scalar(select(table.person_id).where(table.id == thing_id))
    if person_id is None:
        raise OutOfReachError
    find(session, actor, person_id)
    return owners_of(session, [person_id])[person_id]


def show_device(session: Session, actor: Actor, device_id: str, *, now: int) -> DevicePage:
    """Return one device, or raise OutOfReachError."""
    owner = owner_of(session, actor, "device", device_id)
    row = session.get_one(Device, device_id)
    device = find_device(session, owner.id, device_id, now=now)
    if device is None:
        raise OutOfReachError
    timeline = read_timeline(
        session,
        owner.id,
        targets=(device_id, *(key.id for key in device.keys)),
        actor=f"device:{device_id}",
    )
    line = device_line(row, now=now)
    return DevicePage(owner, line, device, row.wipe_asked_at, row.wiped_at, timeline)


def show_key(session: Session, actor: Actor, key_id: str, *, now: int) -> KeyPage:
    """Return one key, or raise OutOfReachError."""
    owner = owner_of(session, actor, "key", key_id)
    key = find_key(session, owner.id, key_id, now=now)
    if key is None:
        raise OutOfReachError
    timeline = read_timeline(session, owner.id, targets=(key_id, key.activation_id))
    return KeyPage(owner, key, find_successor(session, key), timeline)


def show_activation(
    session: Session, actor: Actor, activation_id: str, *, now: int
) -> ActivationPage:
    """Return one activation, or raise OutOfReachError."""
    owner = owner_of(session, actor, "activation", activation_id)
    activation = find_activation(session, owner.id, activation_id, now=now)
    if activation is None:
        raise OutOfReachError
    row = session.get_one(Activation, activation_id)
    timeline = read_timeline(session, owner.id, targets=(activation_id,))
    return ActivationPage(owner, activation, row.handle is not None, row.made_by, timeline)


def show_session(
    session: Session, actor: Actor, session_id: str, *, now: int
) -> tuple[Owner, SessionView]:
    """Return one living session and whose it is, or raise OutOfReachError."""
    owner = owner_of(session, actor, "session", session_id)
    found = find_session(session, owner.id, "", session_id, now=now)
    if found is None:
        raise OutOfReachError
    return owner, found
