"""A device is told to remove its keys, and says when it has. Needs DEVICES_REVOKE.

The device is revoked at once, so nothing waits for it: its keys end here whether or not it ever
comes back. At its next contact it gets the signed notice that they have ended, removes them and
says so.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from app.activation.revocation import end_device
from app.audit import Act, record
from app.models import Device
from app.models.tables import DEVICE
from app.outbox.kinds import MailKind
from app.provisioning.acts import GoneError, begin
from app.staff.reach import Actor


def wipe_device(
    session: Session,
    actor: Actor,
    person_id: str,
    device_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Revoke a device, if that was not done, and have it remove its keys.

    Raises GoneError where it was asked before, ReasonError, OutOfReachError, ColleagueError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    asked = session.execute(
        update(Device)
        .where(
            Device.id == device_id, Device.person_id == person_id, Device.wipe_asked_at.is_(None)
        )
        .values(wipe_asked_at=now)
        .returning(Device.name)
        .execution_options(synchronize_session=False)
    ).first()
    if asked is None:
        raise GoneError
    end_device(session.connection(), person_id, device_id, deed.by)
    deed.note(Act.DEVICE_WIPE_ASKED, device_id, device=asked.name)
    deed.tell(MailKind.DEVICE_WIPED, device=asked.name)


def confirmed(connection: Connection, device_id: str, now: int) -> bool:
    """Note that a device removed its keys; False where nobody asked or it said so before."""
    wiped = connection.execute(
        update(DEVICE)
        .where(
            DEVICE.c.id == device_id,
            DEVICE.c.wipe_asked_at.is_not(None),
            DEVICE.c.wiped_at.is_(None),
        )
        .values(wiped_at=now)
        .returning(DEVICE.c.person_id, DEVICE.c.name)
    ).first()
    if wiped is None:
        return False
    record(
        connection,
        at=now,
        actor=f"device:{device_id}",
        act=Act.DEVICE_WIPED,
        subject=wiped.person_id,
        target=device_id,
        detail={"device": wiped.name},
    )
    return True


def is_asked(connection: Connection, device_id: str) -> bool:
    """Tell whether a device was asked and has not said that it is done."""
    waiting = select(DEVICE.c.id).where(
        DEVICE.c.id == device_id, DEVICE.c.wipe_asked_at.is_not(None), DEVICE.c.wiped_at.is_(None)
    )
    return connection.execute(waiting).first() is not None
