"""Typed codes for somebody on the telephone: made, ended, and the device that used one known.

Whoever makes a code could type it on a device of their own: so the person is told by mail and in
their history, and staff who say whose device it is do so under their own name. Needs
PEOPLE_PROVISION.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.activation.account_services import NotAllowedError
from app.activation.code_status import CodeStatus, code_status
from app.activation.codes import MadeCode, end_code, make_code
from app.audit import Act
from app.models import AccountService, Activation, Device, DeviceState, MailAccount, in_order
from app.outbox.kinds import MailKind
from app.provisioning.acts import GoneError, Here, UnusableError, begin, refuse_disabled
from app.staff.reach import Actor, OutOfReachError, find
from app.throttle import PER_CODES_BY_STAFF, take

if TYPE_CHECKING:
    from app.keystore.rings import PortalKeys


@dataclass(frozen=True)
class Choice:
    """One service that a code may be for."""

    id: str
    address: str
    service: str


def choices(session: Session, person_id: str) -> tuple[Choice, ...]:
    """Return what a code may be made for: the services of the person's accounts."""
    rows = session.execute(
        select(AccountService.id, MailAccount.address, AccountService.service)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(MailAccount.person_id == person_id)
        .order_by(MailAccount.created_at, MailAccount.id, in_order(AccountService.service))
    )
    return tuple(Choice(row.id, row.address, row.service) for row in rows)


def make_code_for(
    session: Session,
    actor: Actor,
    person_id: str,
    account_service_ids: Sequence[str],
    *,
    reason: str,
    here: Here,
    keys: PortalKeys,
) -> MadeCode:
    """Make a code for somebody, and tell them; its text is shown to whoever asked, once.

    Raises UnusableError("services"), ReasonError, OutOfReachError, ColleagueError,
    DisabledPersonError, TooManyError.
    """
    deed = begin(session, actor, person_id, reason=reason, now=here.now, entropy=here.entropy)
    refuse_disabled(session, person_id)
    take(session, PER_CODES_BY_STAFF, person_id, now=here.now)
    named = {choice.id: choice.address for choice in choices(session, person_id)}
    try:
        made = make_code(
            session.connection(),
            person_id=person_id,
            account_service_ids=account_service_ids,
            made_by=actor.actor,
            now=here.now,
            entropy=here.entropy,
            keys=keys,
            config=here.config,
            detail={"reason": deed.reason},
        )
    except NotAllowedError as error:
        raise UnusableError("services") from error
    accounts = dict.fromkeys(named[one] for one in account_service_ids)
    deed.tell(MailKind.CODE_MADE, account=", ".join(accounts), until=made.expires_at)
    return made


def end_code_for(
    session: Session, actor: Actor, activation_id: str, *, reason: str, here: Here
) -> str:
    """End an open code and return whose it was.

    Raises GoneError where it is over, ReasonError, OutOfReachError, ColleagueError.
    """
    person_id = _owner(session, actor, activation_id)
    deed = begin(session, actor, person_id, reason=reason, now=here.now, entropy=here.entropy)
    ended = end_code(
        session.connection(),
        person_id=person_id,
        activation_id=activation_id,
        now=here.now,
        actor=actor.actor,
        detail={"reason": deed.reason},
    )
    if not ended:
        raise GoneError
    return person_id


def confirm_device_for(
    session: Session, actor: Actor, activation_id: str, *, reason: str, here: Here
) -> str:
    """Note that the caller named the device that used a code; return whose it is.

    Raises GoneError where nobody is asked (any more), ReasonError, OutOfReachError, ColleagueError.
    """
    status = status_for(session, actor, activation_id, now=here.now)
    deed = begin(
        session, actor, status.person_id, reason=reason, now=here.now, entropy=here.entropy
    )
    confirmed = session.execute(
        update(Device)
        .where(
            Device.id == status.device_id,
            Device.state == DeviceState.ACTIVE,
            Device.confirmed_at.is_(None),
            Device.confirm_by > here.now,
        )
        .values(confirmed_at=here.now, confirm_by=None)
        .returning(Device.id, Device.name)
        .execution_options(synchronize_session=False)
    ).first()
    if confirmed is None:
        raise GoneError
    deed.note(Act.DEVICE_CONFIRMED, confirmed.id, device=confirmed.name)
    return status.person_id


def status_for(session: Session, actor: Actor, activation_id: str, *, now: int) -> CodeStatus:
    """Tell how a code stands, or raise OutOfReachError: also where it is no code."""
    person_id = _owner(session, actor, activation_id)
    status = code_status(session, person_id, activation_id, now=now)
    if status is None:
        raise OutOfReachError
    return status


def _owner(session: Session, actor: Actor, activation_id: str) -> str:
    person_id = session.scalar(select(Activation.person_id).where(Activation.id == activation_id))
    if person_id is None:
        raise OutOfReachError
    return find(session, actor, person_id).id
