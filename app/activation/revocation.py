"""Revocation: of a key, of a device with all its keys, of what one activation led to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, func, select, update

from app.accounts.sessions import end_clients
from app.activation.ending import By, kill_told, revoke_keys
from app.audit import Act, record_own
from app.models import DeviceState, KeyState
from app.models.tables import ACTIVATION, DEVICE, SERVICE_KEY

if TYPE_CHECKING:
    from app.database import Database


def revoke_key(
    database: Database,
    *,
    person_id: str,
    key_id: str,
    now: int,
    actor: str | None = None,
    reason: str = "by-owner",
) -> bool:
    """Revoke one key of a person; False if there is no such active key of theirs."""
    which = (SERVICE_KEY.c.id == key_id) & (SERVICE_KEY.c.person_id == person_id)
    with database.write_connection() as connection:
        return bool(end_keys(connection, which, person_id, By(now, actor, reason)))


def revoke_device(
    database: Database,
    *,
    person_id: str,
    device_id: str,
    now: int,
    actor: str | None = None,
    reason: str = "by-owner",
) -> bool:
    """Revoke a device with all its keys and sessions; it can do nothing until it is restored."""
    with database.write_connection() as connection:
        return end_device(connection, person_id, device_id, By(now, actor, reason))


def restore_device(
    database: Database, *, person_id: str, device_id: str, now: int, actor: str | None = None
) -> bool:
    """Let a revoked device activate again; its revoked keys stay revoked."""
    with database.write_connection() as connection:
        restored = connection.execute(
            update(DEVICE)
            .where(
                DEVICE.c.id == device_id,
                DEVICE.c.person_id == person_id,
                DEVICE.c.state == DeviceState.REVOKED,
            )
            # A removal that was asked for is over, and can be asked for again.
            .values(state=DeviceState.ACTIVE, revoked_at=None, wipe_asked_at=None, wiped_at=None)
        ).rowcount
        if restored:
            record_own(connection, Act.DEVICE_RESTORED, person_id, device_id, now, actor)
        return bool(restored)


def revoke_activation(
    database: Database,
    *,
    person_id: str,
    activation_id: str,
    now: int,
    actor: str | None = None,
    reason: str = "by-owner",
) -> bool:
    """End an open activation, or undo a redeemed one (*Not you? Revoke*); False if not theirs.

    Undoing revokes its keys, those that rotations made of them since, and the device unless it
    holds other active keys.
    """
    with database.write_connection() as connection:
        by = By(now, actor, reason)
        return end_activation(connection, person_id, activation_id, by) is not None


def end_keys(
    connection: Connection, which: ColumnElement[bool], person_id: str, by: By
) -> list[str]:
    """Revoke the active ones among these keys, all of the person's; return their ids."""
    revoked = revoke_keys(connection, which, now=by.now, reason=by.cause)
    for key_id in revoked:
        record_own(
            connection, Act.KEY_REVOKED, person_id, key_id, by.now, by.actor, detail=by.detail
        )
    return revoked


def end_activation(
    connection: Connection, person_id: str, activation_id: str, by: By
) -> list[str] | None:
    """End or undo an activation; return the keys that ended with it, None if it is not theirs."""
    found = connection.execute(
        select(ACTIVATION.c.device_id).where(
            ACTIVATION.c.id == activation_id, ACTIVATION.c.person_id == person_id
        )
    ).first()
    if found is None:
        return None
    if kill_told(connection, [activation_id], by, reason="revoked"):
        return []
    of_activation = SERVICE_KEY.c.activation_id.in_(_descended(connection, activation_id))
    ended = end_keys(connection, of_activation, person_id, by)
    # Read again: a confirm may have redeemed it just before the kill.
    device_id = connection.execute(
        select(ACTIVATION.c.device_id).where(ACTIVATION.c.id == activation_id)
    ).scalar()
    if device_id is not None and not _active_keys(connection, device_id):
        end_device(connection, person_id, device_id, by)
    return ended


def active_keys_from(connection: Connection, activation_id: str) -> list[str]:
    """Return the active keys that an activation led to, and that end with it."""
    of_activation = SERVICE_KEY.c.activation_id.in_(_descended(connection, activation_id))
    active = of_activation & (SERVICE_KEY.c.state == KeyState.ACTIVE)
    return list(connection.execute(select(SERVICE_KEY.c.id).where(active)).scalars())


def end_device(connection: Connection, person_id: str, device_id: str, by: By) -> bool:
    """Revoke a device with its keys and sessions; False if it is not theirs, or is revoked."""
    revoked = connection.execute(
        update(DEVICE)
        .where(
            DEVICE.c.id == device_id,
            DEVICE.c.person_id == person_id,
            DEVICE.c.state == DeviceState.ACTIVE,
        )
        .values(state=DeviceState.REVOKED, revoked_at=by.now)
        .returning(DEVICE.c.jkt)
    ).first()
    if revoked is None:
        return False
    end_clients(connection, person_id, revoked.jkt, now=by.now, actor=by.actor, detail=by.detail)
    end_keys(connection, SERVICE_KEY.c.device_id == device_id, person_id, by)
    record_own(
        connection, Act.DEVICE_REVOKED, person_id, device_id, by.now, by.actor, detail=by.detail
    )
    return True


def _descended(connection: Connection, activation_id: str) -> list[str]:
    """Return an activation and the rotations that renewed its keys, one after another."""
    found = newest = [activation_id]
    while newest:
        keys = select(SERVICE_KEY.c.id).where(SERVICE_KEY.c.activation_id.in_(newest))
        rotations = select(ACTIVATION.c.id).where(ACTIVATION.c.rotates_key_id.in_(keys))
        newest = list(connection.execute(rotations).scalars())
        found = found + newest
    return found


def _active_keys(connection: Connection, device_id: str) -> int:
    counted = connection.execute(
        select(func.count())
        .select_from(SERVICE_KEY)
        .where(SERVICE_KEY.c.device_id == device_id, SERVICE_KEY.c.state == KeyState.ACTIVE)
    ).scalar_one()
    return int(counted)
