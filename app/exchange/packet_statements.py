"""The statements of packets, built once."""

from __future__ import annotations

from typing import Final

from sqlalchemy import String, bindparam, case, cast, exists, func, literal, select, update

from app.books.services import BOOK_COLUMNS
from app.models import DeviceState, KeyState
from app.models.tables import (
    ACCOUNT_SERVICE,
    ACTIVATION,
    DEVICE,
    ENDED_KEY,
    MAIL_ACCOUNT,
    SERVICE_KEY,
)
from app.prepared import Prepared

_NEVER: Final = literal(bytes(8))
_WINDOW: Final = func.coalesce(SERVICE_KEY.c.window, _NEVER)
_ASKED: Final = select(cast(bindparam("key_id"), String(22)).label("id")).subquery()

# Always one row, whether the key is known, or gone with its account, or was never here.
FIND: Final = Prepared(
    select(
        SERVICE_KEY.c.id,
        SERVICE_KEY.c.person_id,
        SERVICE_KEY.c.device_id,
        SERVICE_KEY.c.account_service_id,
        SERVICE_KEY.c.activation_id,
        SERVICE_KEY.c.grant_id,
        SERVICE_KEY.c.key_sealed,
        SERVICE_KEY.c.state,
        SERVICE_KEY.c.created_at,
        SERVICE_KEY.c.proven_at,
        SERVICE_KEY.c.received,
        _WINDOW.label("window"),
        DEVICE.c.jkt,
        DEVICE.c.name,
        DEVICE.c.platform,
        DEVICE.c.handler,
        DEVICE.c.state.label("device_state"),
        DEVICE.c.wipe_asked_at,
        DEVICE.c.confirmed_at,
        DEVICE.c.confirm_by,
        ENDED_KEY.c.ended_at.label("gone_at"),
        *BOOK_COLUMNS,
    ).select_from(
        _ASKED.outerjoin(SERVICE_KEY, SERVICE_KEY.c.id == _ASKED.c.id)
        .outerjoin(DEVICE, DEVICE.c.id == SERVICE_KEY.c.device_id)
        .outerjoin(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.id == SERVICE_KEY.c.account_service_id)
        .outerjoin(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
        .outerjoin(ENDED_KEY, ENDED_KEY.c.id == _ASKED.c.id)
    )
)

# The device's row first, as everywhere: its packets and its revocation follow one another.
SEE_DEVICE: Final = Prepared(
    update(DEVICE)
    .where(
        DEVICE.c.id == bindparam("of_device"),
        DEVICE.c.state == DeviceState.ACTIVE,
        DEVICE.c.confirmed_at.is_not(None)
        | DEVICE.c.confirm_by.is_(None)
        | (DEVICE.c.confirm_by > bindparam("now")),
    )
    .values(
        name=bindparam("new_name"),
        platform=bindparam("new_platform"),
        handler=bindparam("new_handler"),
        seen_at=bindparam("now"),
    )
    .returning(DEVICE.c.confirmed_at)
)

# Keys that rotations made lately for the same device, account and service; each cost rows.
_MADE: Final = SERVICE_KEY.alias("made")
_ROTATED_LATELY: Final = (
    exists()
    .where(
        _MADE.c.device_id == SERVICE_KEY.c.device_id,
        _MADE.c.account_service_id == SERVICE_KEY.c.account_service_id,
        _MADE.c.created_at > bindparam("wished_since"),
        ACTIVATION.c.id == _MADE.c.activation_id,
        ACTIVATION.c.rotates_key_id.is_not(None),
    )
    .correlate(SERVICE_KEY)
)

# Only upon the window that was read, so that no number is taken twice.
ACCEPT: Final = Prepared(
    update(SERVICE_KEY)
    .where(
        SERVICE_KEY.c.id == bindparam("of_key"),
        SERVICE_KEY.c.state == KeyState.ACTIVE,
        SERVICE_KEY.c.received == bindparam("high_before"),
        bindparam("seen_before") == _WINDOW,
    )
    .values(
        received=bindparam("high"),
        window=bindparam("seen"),
        # By a report; who ends a key proves nothing about what it was to replace.
        proven_at=case(
            (bindparam("proves") == 1, func.coalesce(SERVICE_KEY.c.proven_at, bindparam("now"))),
            else_=SERVICE_KEY.c.proven_at,
        ),
        rotate_at=case(
            (
                (bindparam("wish") == 1)
                & (SERVICE_KEY.c.rotate_at.is_(None) | (SERVICE_KEY.c.rotate_at > bindparam("now")))
                & ~_ROTATED_LATELY,
                bindparam("now"),
            ),
            else_=SERVICE_KEY.c.rotate_at,
        ),
    )
    .returning(SERVICE_KEY.c.rotate_at)
)
