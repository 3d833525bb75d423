"""Whose device is it? An unbound document may have been used by anybody, so its owner is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, select, update

from app.activation.ending import revoke_keys
from app.audit import Act, record_own
from app.models import DeviceState
from app.models.tables import DEVICE, SERVICE_KEY

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from app.database import Database

UNCONFIRMED: Final = DEVICE.c.confirmed_at.is_(None) & DEVICE.c.confirm_by.is_not(None)


def overdue(now: int) -> ColumnElement[bool]:
    """Return the condition that nobody said in time whose device it is: its keys are over."""
    return UNCONFIRMED & (DEVICE.c.confirm_by <= now)


def is_overdue(confirmed_at: int | None, confirm_by: int | None, now: int) -> bool:
    """Tell the same of a row's columns."""
    return confirmed_at is None and confirm_by is not None and confirm_by <= now


def confirm_device(
    database: Database, *, person_id: str, device_id: str, now: int, actor: str | None = None
) -> bool:
    """Note that the person knows this device; False if it is not theirs, or revoked, or too late.

    Saying it twice is as good as once.
    """
    mine = (
        (DEVICE.c.id == device_id)
        & (DEVICE.c.person_id == person_id)
        & (DEVICE.c.state == DeviceState.ACTIVE)
    )
    # Without a time nobody is asked: it has passed, and the keys that the yes is about are over.
    in_time = DEVICE.c.confirm_by > now
    with database.write_connection() as connection:
        confirmed = connection.execute(
            update(DEVICE)
            .where(mine, DEVICE.c.confirmed_at.is_(None), in_time)
            .values(confirmed_at=now, confirm_by=None)
        ).rowcount
        if confirmed:
            record_own(connection, Act.DEVICE_CONFIRMED, person_id, device_id, now, actor)
            return True
        known = select(DEVICE.c.id).where(mine, DEVICE.c.confirmed_at.is_not(None))
        return connection.execute(known).first() is not None


def expire_unconfirmed(connection: Connection, device_id: str, *, now: int) -> bool:
    """Revoke the keys of a device that nobody confirmed in time; False if that is not so.

    The device itself is not revoked: its owner may activate it again, and is asked again.
    """
    expired = connection.execute(
        update(DEVICE)
        .where(DEVICE.c.id == device_id, overdue(now))
        .values(confirm_by=None)
        .returning(DEVICE.c.person_id)
    ).first()
    if expired is None:
        return False
    which = SERVICE_KEY.c.device_id == device_id
    for key_id in revoke_keys(connection, which, now=now, reason="unconfirmed"):
        record_own(connection, Act.KEY_REVOKED, expired.person_id, key_id, now, "system")
    return True
