"""A person's mail accounts and the state of each service. No framework here."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, func, not_, select
from sqlalchemy.orm import Session

from app.accounts.removal import remove_account as remove
from app.activation.confirmation import UNCONFIRMED
from app.activation.status import is_awaited
from app.mailservers.server import VouchedBy
from app.models import (
    AccountService,
    Activation,
    Device,
    DeviceState,
    KeyState,
    MailAccount,
    ServiceGrant,
    ServiceKey,
    ServiceName,
)

BY_OWNER: Final = "by-owner"


class LastAccountError(Exception):
    """It is the only address that the person can sign in with."""


@dataclass(frozen=True)
class ServiceState:
    """One service of an account: on how many devices, and whether one is expected."""

    service: ServiceName
    devices: int
    # How many have it and wait for their owner's word; after their time they count as nothing.
    unconfirmed: int
    waiting: bool


@dataclass(frozen=True)
class AccountView:
    """One mail account with its services."""

    id: str
    address: str
    is_proven: bool
    vouched_by: str
    server: str | None
    created_at: int
    checked_at: int | None
    services: tuple[ServiceState, ...]


def main_address(session: Session, person_id: str) -> str:
    """Return the address that pages call the person by: the first proven one."""
    found = session.scalar(
        select(MailAccount.address)
        .where(MailAccount.person_id == person_id)
        .order_by(MailAccount.proven_at.is_(None), MailAccount.created_at, MailAccount.id)
        .limit(1)
    )
    return found or ""


def list_accounts(session: Session, person_id: str, *, now: int) -> list[AccountView]:
    """Return the person's mail accounts, the proven ones first."""
    rows = session.scalars(
        select(MailAccount)
        .where(MailAccount.person_id == person_id)
        .order_by(MailAccount.proven_at.is_(None), MailAccount.created_at, MailAccount.id)
    ).all()
    active = _active_devices(session, person_id, not_(UNCONFIRMED))
    asked = _active_devices(session, person_id, and_(UNCONFIRMED, Device.confirm_by > now))
    waiting = _waiting(session, person_id, now=now)
    offered = _offered(session, person_id)
    return [_account_view(row, offered[row.id], active, asked, waiting) for row in rows]


def find_account(
    session: Session, person_id: str, account_id: str, *, now: int
) -> AccountView | None:
    """Return one account of this person, or None when it is missing or somebody else's."""
    accounts = list_accounts(session, person_id, now=now)
    return next((account for account in accounts if account.id == account_id), None)


def is_last_proven(session: Session, person_id: str, account_id: str) -> bool:
    """Tell whether this account alone lets the person sign in."""
    proven = session.scalars(
        select(MailAccount.id)
        .where(
            MailAccount.person_id == person_id,
            MailAccount.proven_at.is_not(None),
            # A mail that was answered says nothing of a server that could vouch at a sign-in.
            MailAccount.vouched_by != VouchedBy.CHALLENGE,
        )
        .with_for_update()
    ).all()
    return list(proven) == [account_id]


def remove_account(session: Session, person_id: str, account_id: str, *, now: int) -> bool:
    """Remove an account with its keys and activations; False when it was gone already.

    Raises LastAccountError for the last proven account.
    """
    if is_last_proven(session, person_id, account_id):
        raise LastAccountError
    account = session.scalar(
        select(MailAccount).where(MailAccount.id == account_id, MailAccount.person_id == person_id)
    )
    if account is None:
        return False
    remove(session, account, actor=f"person:{person_id}", reason=BY_OWNER, now=now)
    return True


def _active_devices(
    session: Session, person_id: str, which: ColumnElement[bool]
) -> dict[tuple[str, str], int]:
    rows = session.execute(
        select(
            AccountService.account_id,
            AccountService.service,
            func.count(ServiceKey.device_id.distinct()),
        )
        .join(ServiceKey, ServiceKey.account_service_id == AccountService.id)
        .join(Device, Device.id == ServiceKey.device_id)
        .where(
            ServiceKey.person_id == person_id,
            ServiceKey.state == KeyState.ACTIVE,
            Device.state == DeviceState.ACTIVE,
            which,
        )
        .group_by(AccountService.account_id, AccountService.service)
    )
    return {(account, service): count for account, service, count in rows}


def _waiting(session: Session, person_id: str, *, now: int) -> set[tuple[str, str]]:
    rows = session.execute(
        select(AccountService.account_id, AccountService.service)
        .join(ServiceGrant, ServiceGrant.account_service_id == AccountService.id)
        .join(Activation, Activation.id == ServiceGrant.activation_id)
        .where(
            Activation.person_id == person_id,
            is_awaited(Activation, now),
        )
    )
    return {(account, service) for account, service in rows}


def _offered(session: Session, person_id: str) -> dict[str, set[str]]:
    """Return the services of each account: all of them, or those that staff chose."""
    offered: dict[str, set[str]] = defaultdict(set)
    for account_id, service in session.execute(
        select(AccountService.account_id, AccountService.service)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(MailAccount.person_id == person_id)
    ):
        offered[account_id].add(service)
    return offered


def _account_view(
    row: MailAccount,
    offered: set[str],
    active: dict[tuple[str, str], int],
    asked: dict[tuple[str, str], int],
    waiting: set[tuple[str, str]],
) -> AccountView:
    return AccountView(
        id=row.id,
        address=row.address,
        is_proven=row.proven_at is not None,
        vouched_by=row.vouched_by,
        server=None if row.host is None else f"{row.host}:{row.port}",
        created_at=row.created_at,
        checked_at=row.checked_at,
        services=tuple(
            ServiceState(
                service=service,
                devices=active.get((row.id, service), 0),
                unconfirmed=asked.get((row.id, service), 0),
                waiting=(row.id, service) in waiting,
            )
            for service in ServiceName
            if service in offered
        ),
    )
