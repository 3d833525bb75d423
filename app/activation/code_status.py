"""How a typed code stands, for the page that shows it and for staff on the telephone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from app.activation.confirmation import is_overdue
from app.exchange.statements import MAX_ATTEMPTS
from app.models import (
    AccountService,
    Activation,
    ActivationState,
    Device,
    DeviceState,
    MailAccount,
    Run,
    ServiceGrant,
)

_RUN_UNTIL: Final = (
    select(func.max(Run.expires_at)).where(Run.activation_id == Activation.id).scalar_subquery()
)
_CODE: Final = (
    select(Activation, Device, _RUN_UNTIL.label("run_until"))
    .outerjoin(Device, Device.id == Activation.device_id)
    .where(
        Activation.id == bindparam("activation_id"),
        Activation.person_id == bindparam("person_id"),
        Activation.handle.is_not(None),
    )
)


class CodeStage(StrEnum):
    """How far a code is, as people see it."""

    OPEN = "open"
    TRYING = "trying"
    USED = "used"
    USED_UP = "used-up"
    EXPIRED = "expired"
    REPLACED = "replaced"
    ENDED = "ended"


@dataclass(frozen=True)
class CodeStatus:
    """One code; times in microseconds. ``tries`` counts the runs that devices began."""

    activation_id: str
    person_id: str
    stage: CodeStage
    tries: int
    expires_at: int
    made_by: str | None
    services: tuple[tuple[str, str], ...]
    # What used it.
    device_id: str | None
    device: str | None
    address: str | None
    used_at: int | None
    # Until when somebody may say that the device is theirs; None when nobody is asked.
    confirm_by: int | None

    @property
    def is_over(self) -> bool:
        """Whether nothing becomes of it by itself any more."""
        return self.stage not in (CodeStage.OPEN, CodeStage.TRYING)


def code_status(
    session: Session, person_id: str, activation_id: str, *, now: int
) -> CodeStatus | None:
    """Tell how a person's code stands; None where it is no code of theirs."""
    found = session.execute(_CODE, {"activation_id": activation_id, "person_id": person_id}).first()
    if found is None:
        return None
    row, device, run_until = found
    is_asked = (
        device is not None
        and device.state == DeviceState.ACTIVE
        and device.confirmed_at is None
        and device.confirm_by is not None
        and not is_overdue(device.confirmed_at, device.confirm_by, now)
    )
    return CodeStatus(
        activation_id=row.id,
        person_id=row.person_id,
        stage=_stage(row, run_until or 0, now),
        tries=row.attempts,
        expires_at=row.document_expires_at,
        made_by=row.made_by,
        services=_services(session, row.id),
        device_id=row.device_id,
        device=None if device is None else device.name,
        address=row.address,
        used_at=row.redeemed_at,
        confirm_by=device.confirm_by if is_asked else None,
    )


def _stage(row: Activation, run_until: int, now: int) -> CodeStage:
    if row.state == ActivationState.REDEEMED:
        return CodeStage.USED
    if row.state == ActivationState.DEAD:
        ends: dict[Any, CodeStage] = {
            "expired": CodeStage.EXPIRED,
            "replaced": CodeStage.REPLACED,
        }
        return ends.get(row.ended_reason, CodeStage.ENDED)
    # A run that began in time may come to its end, also the last one.
    is_last = row.attempts >= MAX_ATTEMPTS or (row.document_expires_at or 0) <= now
    if is_last and run_until > now:
        return CodeStage.TRYING
    if row.attempts >= MAX_ATTEMPTS:
        return CodeStage.USED_UP
    return CodeStage.EXPIRED if is_last else CodeStage.OPEN


def _services(session: Session, activation_id: str) -> tuple[tuple[str, str], ...]:
    rows = session.execute(
        select(AccountService.service, MailAccount.address)
        .join(ServiceGrant, ServiceGrant.account_service_id == AccountService.id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceGrant.activation_id == activation_id)
        .order_by(ServiceGrant.position)
    )
    return tuple((row.service, row.address) for row in rows)
