"""The exchange's statements, built once."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BindParameter, Dialect, and_, bindparam, case, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from app.models import ActivationState, DeviceState, GrantState
from app.models.tables import (
    ACCOUNT_SERVICE,
    ACTIVATION,
    DEVICE,
    MAIL_ACCOUNT,
    RUN,
    SERVICE_GRANT,
    SERVICE_KEY,
)

MAX_ATTEMPTS: Final = 5

_ACTIVATION_ID: Final[BindParameter[Any]] = bindparam("of_activation")
_RUN: Final[BindParameter[Any]] = bindparam("run_name")

FIND_FOR_INIT: Final = select(
    ACTIVATION.c.state,
    ACTIVATION.c.kind,
    ACTIVATION.c.bound_jkt,
    ACTIVATION.c.attempts,
    ACTIVATION.c.prs_sealed,
    ACTIVATION.c.expires_at,
    ACTIVATION.c.document_expires_at,
).where(ACTIVATION.c.id == _ACTIVATION_ID)

FIND_REPLY: Final = select(RUN.c.admission_hash, RUN.c.reply).where(
    RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run == _RUN
)

# Counted before the answer and only while there is one left; the fifth takes the PRS along.
COUNT_ATTEMPT: Final = (
    update(ACTIVATION)
    .where(
        ACTIVATION.c.id == _ACTIVATION_ID,
        ACTIVATION.c.state == ActivationState.OPEN,
        ACTIVATION.c.attempts < MAX_ATTEMPTS,
        ACTIVATION.c.document_expires_at > bindparam("now"),
    )
    .values(
        attempts=ACTIVATION.c.attempts + 1,
        taken_at=bindparam("now"),
        prs_sealed=case(
            (ACTIVATION.c.attempts >= MAX_ATTEMPTS - 1, None), else_=ACTIVATION.c.prs_sealed
        ),
    )
)

INSERT_RUN: Final = insert(RUN)

FIND_FOR_CONFIRM: Final = (
    select(
        ACTIVATION.c.state,
        ACTIVATION.c.person_id,
        ACTIVATION.c.bound_jkt,
        ACTIVATION.c.expires_at,
        ACTIVATION.c.confirm_hash,
        ACTIVATION.c.complete,
        RUN.c.secrets_sealed,
        RUN.c.expires_at.label("run_expires_at"),
    )
    .outerjoin(RUN, and_(RUN.c.activation_id == ACTIVATION.c.id, RUN.c.run == _RUN))
    .where(ACTIVATION.c.id == _ACTIVATION_ID)
)

FIND_GRANTS: Final = (
    select(
        SERVICE_GRANT.c.id,
        SERVICE_GRANT.c.account_service_id,
        MAIL_ACCOUNT.c.address,
        ACCOUNT_SERVICE.c.service,
        ACCOUNT_SERVICE.c.service_uid,
    )
    .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.id == SERVICE_GRANT.c.account_service_id)
    .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
    .where(SERVICE_GRANT.c.activation_id == _ACTIVATION_ID)
    .order_by(SERVICE_GRANT.c.position)
)

# The row to be written is matched on run's secrets too: a run that was deleted meanwhile is dead.
REDEEM: Final = (
    update(ACTIVATION)
    .where(
        ACTIVATION.c.id == _ACTIVATION_ID,
        ACTIVATION.c.state == ActivationState.OPEN,
        ACTIVATION.c.expires_at > bindparam("now"),
    )
    .values(
        state=ActivationState.REDEEMED,
        redeemed_at=bindparam("now"),
        prs_sealed=None,
        device_id=bindparam("device"),
        address=bindparam("from_address"),
        run=_RUN,
        confirm_hash=bindparam("hash_of_confirm"),
        complete=bindparam("answer"),
    )
)
REDEEM_GRANTS: Final = (
    update(SERVICE_GRANT)
    .where(
        SERVICE_GRANT.c.activation_id == _ACTIVATION_ID,
        SERVICE_GRANT.c.state == GrantState.ISSUED,
    )
    .values(state=GrantState.REDEEMED)
)
FORGET_RUN: Final = (
    update(RUN)
    .where(RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run == _RUN)
    .values(secrets_sealed=None)
)
DELETE_OTHER_RUNS: Final = delete(RUN).where(
    RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run != _RUN
)
INSERT_KEYS: Final = insert(SERVICE_KEY)


def upsert_device(dialect: Dialect) -> ReturningInsert[Any]:
    """Build the statement that adds a device or renews an active one; no row if it was removed."""
    make = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    new = make(DEVICE)
    return new.on_conflict_do_update(
        index_elements=[DEVICE.c.person_id, DEVICE.c.jkt],
        set_={
            "name": new.excluded.name,
            "platform": new.excluded.platform,
            "handler": new.excluded.handler,
            "seen_at": new.excluded.seen_at,
        },
        where=DEVICE.c.state == DeviceState.ACTIVE,
    ).returning(DEVICE.c.id)
