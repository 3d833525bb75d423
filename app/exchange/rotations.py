"""The rotation that a report is offered: the one under way, or a new one; docs/protocol.md 19."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, func, insert, select

from app.activation.ending import kill, retire_keys
from app.audit import Act, record_own
from app.clock import DAY, HOUR
from app.keystore.places import prs_place
from app.models import ActivationState, GrantState, KeyState, new_id
from app.models.tables import ACTIVATION, RUN, SERVICE_GRANT, SERVICE_KEY
from protocol.channel import Rotation
from protocol.session import SessionKey, rotation_prs

if TYPE_CHECKING:
    from app.keystore.sealing import Sealer

# How long a rotation that no device takes up stays open; the next report is offered another.
LIFETIME: Final = DAY
# After a rotation, a device's own wish for the next one is passed over for so long: rotations
# leave rows, and packets are not throttled. What the owner asks for is always done.
WISH_PAUSE: Final = HOUR

_YOUNGEST_RUN: Final = (
    select(func.max(RUN.c.expires_at))
    .where(RUN.c.activation_id == ACTIVATION.c.id)
    .scalar_subquery()
)
_UNDER_WAY: Final = (
    select(
        ACTIVATION.c.id,
        ACTIVATION.c.state,
        ACTIVATION.c.attempts,
        ACTIVATION.c.expires_at,
        ACTIVATION.c.complete.is_not(None).label("is_answerable"),
        _YOUNGEST_RUN.label("run_until"),
        SERVICE_GRANT.c.id.label("grant_id"),
        SERVICE_KEY.c.id.label("successor_id"),
    )
    .join(SERVICE_GRANT, SERVICE_GRANT.c.activation_id == ACTIVATION.c.id)
    .outerjoin(SERVICE_KEY, SERVICE_KEY.c.activation_id == ACTIVATION.c.id)
    .where(
        ACTIVATION.c.rotates_key_id == bindparam("key_id"),
        (ACTIVATION.c.state == ActivationState.OPEN)
        | (
            (ACTIVATION.c.state == ActivationState.REDEEMED)
            & (SERVICE_KEY.c.state == KeyState.ACTIVE)
            & SERVICE_KEY.c.proven_at.is_(None)
        ),
    )
)


class Rotations:
    """Begins rotations: only the exchange can, since only it can open the old key."""

    def __init__(self, sealer: Sealer, *, issuer: str, entropy: Callable[[int], bytes]) -> None:
        self._sealer: Final = sealer
        self._issuer: Final = issuer
        self._entropy: Final = entropy

    def offer(
        self, connection: Connection, old: Any, key: SessionKey, *, due: bool, now: int
    ) -> Rotation | None:
        """Return the rotation of a key that may be used, a new one if it is due, or None.

        ``old`` is the row of the key; the caller holds its lock.
        """
        under_way = connection.execute(_UNDER_WAY, {"key_id": old.id}).all()
        for row in under_way:
            if _is_usable(row, now):
                return Rotation(activation=row.id, grant=row.grant_id)
        if not due:
            return None
        activation_id = new_id(self._entropy)
        for row in under_way:
            _give_up(connection, row, old, successor=activation_id, now=now)
        return self._begin(connection, old, key, activation_id, now)

    def _begin(
        self, connection: Connection, old: Any, key: SessionKey, activation_id: str, now: int
    ) -> Rotation:
        prs = rotation_prs(self._issuer, key)
        activation = {
            "id": activation_id,
            "person_id": old.person_id,
            # Nobody pressed a button, so there is no page to come back to.
            "ticket": new_id(self._entropy),
            "kind": "rotation",
            "rotates_key_id": old.id,
            "state": ActivationState.OPEN.value,
            "created_at": now,
            "expires_at": now + LIFETIME,
            "document_expires_at": now + LIFETIME,
            "bound_jkt": old.jkt,
            "attempts": 0,
            "prs_sealed": self._sealer.seal(prs, prs_place(activation_id), now=now),
        }
        grant = {
            "id": new_id(self._entropy),
            "account_service_id": old.account_service_id,
            "activation_id": activation_id,
            "position": 0,
            "state": GrantState.ISSUED.value,
            "created_at": now,
            "expires_at": now + LIFETIME,
        }
        connection.execute(insert(ACTIVATION), activation)
        connection.execute(insert(SERVICE_GRANT), grant)
        record_own(connection, Act.KEY_ROTATION_BEGUN, old.person_id, old.id, now, "system")
        return Rotation(activation=activation_id, grant=str(grant["id"]))


def _is_usable(row: Any, now: int) -> bool:
    """Tell whether the device can still finish it; it may be in the middle of it."""
    if row.state == ActivationState.REDEEMED:
        return bool(row.is_answerable)
    return row.expires_at > now and (row.attempts == 0 or (row.run_until or 0) > now)


def _give_up(connection: Connection, row: Any, old: Any, *, successor: str, now: int) -> None:
    """End a rotation that led nowhere, and the key that its device never got."""
    if row.state == ActivationState.OPEN:
        kill(connection, [row.id], reason="replaced", successor=successor)
        return
    never_proven = SERVICE_KEY.c.id == row.successor_id
    for key_id in retire_keys(connection, never_proven, now=now, reason="never-proven"):
        record_own(connection, Act.KEY_RETIRED, old.person_id, key_id, now, "system")
