"""The exchange's statements, built once."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Dialect,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from app.models import ActivationState, DeviceState, GrantState, KeyState
from app.models.tables import (
    ACCOUNT_SERVICE,
    ACTIVATION,
    DEVICE,
    MAIL_ACCOUNT,
    RUN,
    SERVICE_GRANT,
    SERVICE_KEY,
)
from app.prepared import Prepared

MAX_ATTEMPTS: Final = 5

_ACTIVATION_ID: Final[BindParameter[Any]] = bindparam("of_activation")
_RUN: Final[BindParameter[Any]] = bindparam("run_name")

_HANDLE: Final[BindParameter[Any]] = bindparam("of_handle")
_FOR_INIT: Final = select(
    ACTIVATION.c.id,
    ACTIVATION.c.person_id,
    ACTIVATION.c.state,
    ACTIVATION.c.kind,
    ACTIVATION.c.bound_jkt,
    ACTIVATION.c.attempts,
    ACTIVATION.c.prs_sealed,
    ACTIVATION.c.expires_at,
    ACTIVATION.c.document_expires_at,
)
# A code is found by its handle and by nothing else; everything else by its id.
FIND_FOR_INIT: Final = Prepared(
    _FOR_INIT.where(ACTIVATION.c.id == _ACTIVATION_ID, ACTIVATION.c.handle.is_(None))
)
FIND_CODE_FOR_INIT: Final = Prepared(
    _FOR_INIT.where(ACTIVATION.c.handle == _HANDLE, ACTIVATION.c.state == ActivationState.OPEN)
)

FIND_REPLY: Final = Prepared(
    select(RUN.c.admission_hash, RUN.c.reply).where(
        RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run == _RUN
    )
)

# Counted before the answer and only while there is one left; the fifth takes the PRS along.
COUNT_ATTEMPT: Final = Prepared(
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
            (ACTIVATION.c.attempts < MAX_ATTEMPTS - 1, ACTIVATION.c.prs_sealed), else_=null()
        ),
    )
    .returning(ACTIVATION.c.attempts)
)

INSERT_RUN: Final = Prepared(
    insert(RUN),
    columns=(
        "activation_id",
        "run",
        "admission_hash",
        "reply",
        "secrets_sealed",
        "created_at",
        "expires_at",
    ),
)

# One row for each grant; the activation and its run are the same in all of them.
_FOR_CONFIRM: Final = (
    select(
        ACTIVATION.c.id,
        ACTIVATION.c.state,
        ACTIVATION.c.kind,
        ACTIVATION.c.rotates_key_id,
        ACTIVATION.c.person_id,
        ACTIVATION.c.bound_jkt,
        ACTIVATION.c.expires_at,
        ACTIVATION.c.confirm_hash,
        ACTIVATION.c.complete,
        RUN.c.secrets_sealed,
        RUN.c.expires_at.label("run_expires_at"),
        SERVICE_GRANT.c.id.label("grant_id"),
        SERVICE_GRANT.c.account_service_id,
        MAIL_ACCOUNT.c.address,
        ACCOUNT_SERVICE.c.service,
        ACCOUNT_SERVICE.c.service_uid,
    )
    .outerjoin(RUN, and_(RUN.c.activation_id == ACTIVATION.c.id, RUN.c.run == _RUN))
    .join(SERVICE_GRANT, SERVICE_GRANT.c.activation_id == ACTIVATION.c.id)
    .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.id == SERVICE_GRANT.c.account_service_id)
    .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
    .order_by(SERVICE_GRANT.c.position)
)
FIND_FOR_CONFIRM: Final = Prepared(
    _FOR_CONFIRM.where(ACTIVATION.c.id == _ACTIVATION_ID, ACTIVATION.c.handle.is_(None))
)
# Codes have the same handle one after another: only the run tells which one is meant.
FIND_CODE_FOR_CONFIRM: Final = Prepared(
    _FOR_CONFIRM.where(ACTIVATION.c.handle == _HANDLE, RUN.c.run == _RUN)
)

REDEEM: Final = Prepared(
    update(ACTIVATION)
    .where(
        ACTIVATION.c.id == _ACTIVATION_ID,
        ACTIVATION.c.state == ActivationState.OPEN,
        ACTIVATION.c.expires_at > bindparam("now"),
    )
    .values(
        state=ActivationState.REDEEMED,
        redeemed_at=bindparam("now"),
        prs_sealed=null(),
        device_id=bindparam("device"),
        address=bindparam("from_address"),
        run=_RUN,
        confirm_hash=bindparam("hash_of_confirm"),
        complete=bindparam("answer"),
    )
    .returning(ACTIVATION.c.attempts)
)
REDEEM_GRANTS: Final = Prepared(
    update(SERVICE_GRANT)
    .where(
        SERVICE_GRANT.c.activation_id == _ACTIVATION_ID,
        SERVICE_GRANT.c.state == GrantState.ISSUED,
    )
    .values(state=GrantState.REDEEMED)
)
FORGET_RUN: Final = Prepared(
    update(RUN)
    .where(RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run == _RUN)
    .values(secrets_sealed=null())
)
DELETE_OTHER_RUNS: Final = Prepared(
    delete(RUN).where(RUN.c.activation_id == _ACTIVATION_ID, RUN.c.run != _RUN)
)
# Locks the key as well: of a redemption and a revocation one comes after the other.
LOCK_ACTIVE_KEY: Final = Prepared(
    select(SERVICE_KEY.c.id)
    .where(SERVICE_KEY.c.id == bindparam("key"), SERVICE_KEY.c.state == KeyState.ACTIVE)
    .with_for_update()
)
INSERT_KEYS: Final = Prepared(
    insert(SERVICE_KEY),
    columns=(
        "id",
        "person_id",
        "device_id",
        "account_service_id",
        "activation_id",
        "grant_id",
        "key_sealed",
        "fingerprint",
        "state",
        "created_at",
        "rotate_at",
    ),
)
DEVICE_COLUMNS: Final = (
    "id",
    "person_id",
    "jkt",
    "identity",
    "name",
    "platform",
    "handler",
    "state",
    "created_at",
    "seen_at",
    "confirmed_at",
    "confirm_by",
)


def upsert_device(dialect: Dialect) -> Prepared:
    """Build the statement that adds a device or renews an active one; no row if it was revoked.

    What confirms it stays; the time to do so counts from the first key. Once it is over nothing
    confirms the device before its keys have ended, so the old time comes back then.
    """
    make = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
    new = make(DEVICE)
    overdue = DEVICE.c.confirmed_at.is_(None) & (DEVICE.c.confirm_by <= new.excluded.seen_at)
    confirmed_at = case(
        (overdue, null()),
        else_=func.coalesce(DEVICE.c.confirmed_at, new.excluded.confirmed_at),
    )
    confirm_by = case(
        (confirmed_at.is_not(None), null()),
        else_=func.coalesce(DEVICE.c.confirm_by, new.excluded.confirm_by),
    )
    renewed = {name: new.excluded[name] for name in ("name", "platform", "handler", "seen_at")}
    statement = new.on_conflict_do_update(
        index_elements=[DEVICE.c.person_id, DEVICE.c.jkt],
        set_={**renewed, "confirmed_at": confirmed_at, "confirm_by": confirm_by},
        where=DEVICE.c.state == DeviceState.ACTIVE,
    ).returning(DEVICE.c.id, DEVICE.c.confirm_by)
    return Prepared(statement, columns=DEVICE_COLUMNS)
