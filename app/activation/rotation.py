"""When a key is replaced by a newer one, and who may ask for it before its time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from sqlalchemy import ColumnElement, Connection, select, update

from app.audit import Act, record_own
from app.clock import DAY
from app.models import KeyState
from app.models.tables import SERVICE_KEY

if TYPE_CHECKING:
    from app.database import Database

_STEPS: Final = 2**32


def time_to_rotate(now: int, days: int, *, entropy: Callable[[int], bytes]) -> int:
    """Draw the moment at which a key made now is replaced: so many days, give or take a tenth.

    Many devices that were activated together should not come back together.
    """
    drawn = 2 * int.from_bytes(entropy(4), "big") - _STEPS
    return now + days * DAY + days * DAY * drawn // (10 * _STEPS)


def ask_rotation(
    database: Database, *, person_id: str, key_id: str, now: int, actor: str | None = None
) -> bool:
    """Let a person's key be replaced at its device's next report; False if it is not active.

    It is a wish: only the device can make the new key, and the old one works until then.
    """
    with database.write_connection() as connection:
        return wish_rotation(connection, person_id, key_id, now=now, actor=actor)


def wish_rotation(
    connection: Connection,
    person_id: str,
    key_id: str,
    *,
    now: int,
    actor: str | None,
    detail: Mapping[str, str | int] | None = None,
) -> bool:
    """Do so in the caller's transaction."""
    mine = (
        (SERVICE_KEY.c.id == key_id)
        & (SERVICE_KEY.c.person_id == person_id)
        & (SERVICE_KEY.c.state == KeyState.ACTIVE)
    )
    changed = connection.execute(
        update(SERVICE_KEY).where(mine, _not_due(now)).values(rotate_at=now)
    ).rowcount
    if changed:
        act = Act.KEY_ROTATION_ASKED
        record_own(connection, act, person_id, key_id, now, actor, detail=detail)
        return True
    # Asked for already, or its time had come by itself.
    return connection.execute(select(SERVICE_KEY.c.id).where(mine)).first() is not None


def ask_all_rotations(connection: Connection, *, now: int) -> int:
    """Let every active key be replaced at its device's next report; return how many.

    For a restored database, where the numbers of packets stand as they stood: a packet that was
    recorded since gets a second answer under its number, which weakens the key and no other.
    """
    return connection.execute(
        update(SERVICE_KEY)
        .where(SERVICE_KEY.c.state == KeyState.ACTIVE, _not_due(now))
        .values(rotate_at=now)
    ).rowcount


def _not_due(now: int) -> ColumnElement[bool]:
    return SERVICE_KEY.c.rotate_at.is_(None) | (SERVICE_KEY.c.rotate_at > now)
