"""Devices that used an unbound document, and whose owner has not said yet that they are theirs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.activation.confirmation import UNCONFIRMED
from app.devices.services import KeyView, list_keys
from app.models import Activation, ActivationState, Device, DeviceState


@dataclass(frozen=True)
class UnconfirmedDevice:
    """What helps a person to recognise a device, and until when they may say so."""

    id: str
    name: str
    platform: str
    used_at: int
    address: str | None
    confirm_by: int
    keys: tuple[KeyView, ...]


def list_unconfirmed(session: Session, person_id: str, *, now: int) -> list[UnconfirmedDevice]:
    """Return the person's devices that wait for an answer, the most urgent one first."""
    devices = session.scalars(
        select(Device)
        .where(
            Device.person_id == person_id,
            Device.state == DeviceState.ACTIVE,
            UNCONFIRMED,
            Device.confirm_by > now,
        )
        .order_by(Device.confirm_by, Device.id)
    ).all()
    if not devices:
        return []
    keys = [key for key in list_keys(session, person_id, now=now) if key.is_active]
    return [
        _view(session, device, tuple(key for key in keys if key.device_id == device.id))
        for device in devices
    ]


def find_unconfirmed(
    session: Session, person_id: str, device_id: str | None, *, now: int
) -> UnconfirmedDevice | None:
    """Return one of them; None when the device is confirmed, missing or somebody else's."""
    waiting = list_unconfirmed(session, person_id, now=now)
    return next((device for device in waiting if device.id == device_id), None)


def _view(session: Session, device: Device, keys: tuple[KeyView, ...]) -> UnconfirmedDevice:
    used = session.execute(
        select(Activation.redeemed_at, Activation.address)
        .where(Activation.device_id == device.id, Activation.state == ActivationState.REDEEMED)
        .order_by(Activation.redeemed_at.desc())
        .limit(1)
    ).first()
    return UnconfirmedDevice(
        id=device.id,
        name=device.name,
        platform=device.platform,
        used_at=device.created_at if used is None or used.redeemed_at is None else used.redeemed_at,
        address=None if used is None else used.address,
        # The query leaves out those without a deadline.
        confirm_by=device.confirm_by or 0,
        keys=keys,
    )
