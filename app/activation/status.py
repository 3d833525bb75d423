"""How an activation stands, as its page polls it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, or_, select

from app.clock import MINUTE, seconds
from app.models import Activation, ActivationState, DeviceState, in_order
from app.models.tables import ACCOUNT_SERVICE, ACTIVATION, DEVICE, SERVICE_KEY
from protocol.words import words

if TYPE_CHECKING:
    from app.database import Database

RUN_LIFETIME: Final = 5 * MINUTE

_COLUMNS: Final = (
    ACTIVATION.c.id,
    ACTIVATION.c.ticket,
    ACTIVATION.c.state,
    ACTIVATION.c.kind,
    ACTIVATION.c.made_by,
    ACTIVATION.c.expires_at,
    ACTIVATION.c.document_expires_at,
    ACTIVATION.c.taken_at,
    ACTIVATION.c.redeemed_at,
    ACTIVATION.c.address,
    ACTIVATION.c.ended_reason,
    DEVICE.c.name.label("device"),
    DEVICE.c.state.label("device_state"),
    DEVICE.c.confirm_by,
)
_NEWEST: Final = (
    select(*_COLUMNS)
    .outerjoin(DEVICE, DEVICE.c.id == ACTIVATION.c.device_id)
    .where(
        ACTIVATION.c.person_id == bindparam("person_id"),
        ACTIVATION.c.ticket == bindparam("ticket"),
    )
    # A reissue at the very same moment is told from its predecessor by having no successor.
    .order_by(ACTIVATION.c.created_at.desc(), ACTIVATION.c.successor_id.is_not(None))
    .limit(1)
)
_TICKET: Final = select(ACTIVATION.c.ticket).where(
    ACTIVATION.c.id == bindparam("activation_id"),
    ACTIVATION.c.person_id == bindparam("person_id"),
)
_KEYS: Final = (
    select(ACCOUNT_SERVICE.c.service, SERVICE_KEY.c.fingerprint)
    .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.id == SERVICE_KEY.c.account_service_id)
    .where(SERVICE_KEY.c.activation_id == bindparam("activation_id"))
    .order_by(
        ACCOUNT_SERVICE.c.account_id,
        SERVICE_KEY.c.created_at,
        in_order(ACCOUNT_SERVICE.c.service),
    )
)


class Stage(StrEnum):
    """How far an activation is, as people see it."""

    WAITING = "waiting"
    ISSUED = "issued"
    TAKEN = "taken"
    ACTIVE = "active"
    EXPIRED = "expired"
    DEAD = "dead"


@dataclass(frozen=True)
class ActivationStatus:
    """The JSON of the status page; ``at`` is in seconds, ``address`` the device's network address.

    ``words`` has one list for each key: the service's name and four words. ``confirm_by``, in
    seconds, is until when the owner may say that the device is theirs; None if nobody asks.
    """

    state: str
    stage: Stage
    id: str
    device: str | None
    words: list[list[str]]
    at: int | None
    address: str | None
    confirm_by: int | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a JSON response."""
        return asdict(self)


def activation_status(
    database: Database, *, person_id: str, activation_id: str, now: int
) -> ActivationStatus | None:
    """Tell how a person's activation, or its reissue, stands; None if it is not theirs."""
    with database.read_connection() as connection:
        ticket = connection.execute(
            _TICKET, {"activation_id": activation_id, "person_id": person_id}
        ).scalar()
        return None if ticket is None else _status(connection, person_id, ticket, now)


def ticket_status(
    database: Database, *, person_id: str, ticket: str, now: int
) -> ActivationStatus | None:
    """Tell how the newest activation with a page's ticket stands; None while there is none."""
    with database.read_connection() as connection:
        return _status(connection, person_id, ticket, now)


def stage_of(activation: Activation | Row[*tuple[Any, ...]], now: int) -> Stage:
    """Tell the stage of an activation, from its own columns and the time in microseconds."""
    if activation.state == ActivationState.REDEEMED:
        return Stage.ACTIVE
    if activation.state == ActivationState.DEAD:
        return Stage.EXPIRED if activation.ended_reason == "expired" else Stage.DEAD
    if activation.expires_at <= now:
        return Stage.EXPIRED
    if activation.document_expires_at is None:
        return Stage.WAITING
    if activation.taken_at is not None and now < activation.taken_at + RUN_LIFETIME:
        return Stage.TAKEN
    if now < activation.document_expires_at:
        return Stage.ISSUED
    # What staff left waiting waits on, however many documents were not used.
    waits = activation.made_by is not None and activation.kind == "document"
    return Stage.WAITING if waits else Stage.EXPIRED


def is_awaited(activation: Any, now: int) -> ColumnElement[bool]:
    """Return the condition that an activation still waits for a device.

    The activation is the model, or an alias of it; the time is in microseconds.
    """
    return and_(
        activation.state == ActivationState.OPEN,
        # A key that is being replaced is no device that is awaited.
        activation.rotates_key_id.is_(None),
        activation.expires_at > now,
        or_(
            activation.document_expires_at.is_(None),
            activation.document_expires_at > now,
            # What staff left waiting outlives its documents; a code and a person's own do not.
            and_(activation.made_by.is_not(None), activation.kind == "document"),
        ),
    )


def _status(
    connection: Connection, person_id: str, ticket: str, now: int
) -> ActivationStatus | None:
    row = connection.execute(_NEWEST, {"person_id": person_id, "ticket": ticket}).first()
    if row is None:
        return None
    shown = row.state == ActivationState.REDEEMED
    keys = connection.execute(_KEYS, {"activation_id": row.id}).all() if shown else ()
    return ActivationStatus(
        state=row.state,
        stage=stage_of(row, now),
        id=row.id,
        device=row.device,
        words=[[key.service, *words(key.fingerprint)] for key in keys],
        at=None if row.redeemed_at is None else seconds(row.redeemed_at),
        address=row.address,
        confirm_by=_confirm_by(row, now) if shown else None,
    )


def _confirm_by(row: Row[*tuple[Any, ...]], now: int) -> int | None:
    asked = row.device_state == DeviceState.ACTIVE and row.confirm_by is not None
    return seconds(row.confirm_by) if asked and row.confirm_by > now else None
