"""A person's activations as pages show them. No framework here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import and_, func, not_, or_, select
from sqlalchemy.orm import Session

from app.activation.confirmation import overdue
from app.activation.status import Stage, stage_of
from app.models import (
    AccountService,
    Activation,
    Device,
    KeyState,
    MailAccount,
    ServiceGrant,
    ServiceKey,
)

MOST: Final = 50
# A reissue keeps its page, so what it replaced is not shown by itself.
REPLACED: Final = frozenset({"reissued", "replaced"})


@dataclass(frozen=True)
class GrantView:
    """One service of an activation."""

    account_id: str
    address: str
    service: str


@dataclass(frozen=True)
class ActivationView:
    """One activation, with the device that used it."""

    id: str
    ticket: str
    stage: Stage
    created_at: int
    expires_at: int
    document_expires_at: int | None
    redeemed_at: int | None
    rotates: str | None
    device_id: str | None
    device_name: str | None
    address: str | None
    ended_reason: str | None
    grants: tuple[GrantView, ...]
    active_keys: int
    # Somebody types it on the device, instead of a document.
    is_code: bool
    # Its keys are over because nobody said in time whose device it is.
    is_unanswered: bool
    # Staff left it waiting for the person's device.
    is_set_up: bool

    @property
    def account_id(self) -> str | None:
        """Return the one account it is for; None when there are several, or it was removed."""
        found = {grant.account_id for grant in self.grants}
        return found.pop() if len(found) == 1 else None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return the mail addresses it is for."""
        return tuple(dict.fromkeys(grant.address for grant in self.grants))


def list_activations(session: Session, person_id: str, *, now: int) -> list[ActivationView]:
    """Return the person's latest activations, without those that a newer one replaced."""
    rows = session.execute(
        select(Activation, Device.name)
        .outerjoin(Device, Device.id == Activation.device_id)
        .where(
            Activation.person_id == person_id,
            # A key that is replaced is told on its own page.
            Activation.rotates_key_id.is_(None),
            Activation.ended_reason.is_(None) | Activation.ended_reason.not_in(REPLACED),
        )
        .order_by(Activation.created_at.desc(), Activation.id)
        .limit(MOST)
    ).all()
    ids = [row.id for row, _ in rows]
    grants, keys = _grants(session, ids), _active_keys(session, ids, now)
    silent = _unanswered(session, ids, now)
    return [
        _view(row, name, grants[row.id], keys.get(row.id, 0), row.id in silent, now)
        for row, name in rows
    ]


def find_activation(
    session: Session, person_id: str, activation_id: str, *, now: int
) -> ActivationView | None:
    """Return one activation of this person, or None when it is missing or somebody else's."""
    found = session.execute(
        select(Activation, Device.name)
        .outerjoin(Device, Device.id == Activation.device_id)
        .where(Activation.id == activation_id, Activation.person_id == person_id)
    ).first()
    if found is None:
        return None
    row, device_name = found
    keys = _active_keys(session, [row.id], now).get(row.id, 0)
    silent = row.id in _unanswered(session, [row.id], now)
    return _view(row, device_name, _grants(session, [row.id])[row.id], keys, silent, now)


def service_ids(
    session: Session, person_id: str, account_id: str, services: Sequence[str]
) -> list[str]:
    """Return the ids of these services of the person's account, in the order asked for."""
    rows = session.execute(
        select(AccountService.service, AccountService.id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(
            MailAccount.id == account_id,
            MailAccount.person_id == person_id,
            AccountService.service.in_(services),
        )
    )
    ids = {row.service: row.id for row in rows}
    return [ids[service] for service in services if service in ids]


def bound_device(session: Session, person_id: str, ticket: str) -> str | None:
    """Return the thumbprint of the device that a ticket's newest document is for, if any."""
    return session.scalar(
        select(Activation.bound_jkt)
        .where(Activation.person_id == person_id, Activation.ticket == ticket)
        .order_by(Activation.created_at.desc(), Activation.successor_id.is_not(None))
        .limit(1)
    )


def owns_account(session: Session, person_id: str, account_id: str) -> bool:
    """Tell whether the account is this person's."""
    owner = session.scalar(select(MailAccount.person_id).where(MailAccount.id == account_id))
    return owner == person_id


def _grants(session: Session, activation_ids: Sequence[str]) -> dict[str, list[GrantView]]:
    rows = session.execute(
        select(
            ServiceGrant.activation_id,
            MailAccount.id,
            MailAccount.address,
            AccountService.service,
        )
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceGrant.activation_id.in_(activation_ids))
        .order_by(ServiceGrant.position)
    )
    grants: dict[str, list[GrantView]] = defaultdict(list)
    for activation_id, account_id, address, service in rows:
        grants[str(activation_id)].append(GrantView(account_id, address, service))
    return grants


def _active_keys(session: Session, activation_ids: Sequence[str], now: int) -> dict[str, int]:
    rows = session.execute(
        select(ServiceKey.activation_id, func.count())
        .join(Device, Device.id == ServiceKey.device_id)
        .where(
            ServiceKey.activation_id.in_(activation_ids),
            ServiceKey.state == KeyState.ACTIVE,
            # The packet step refuses them already, tidied up or not.
            not_(overdue(now)),
        )
        .group_by(ServiceKey.activation_id)
    )
    return {row[0]: row[1] for row in rows}


def _unanswered(session: Session, activation_ids: Sequence[str], now: int) -> set[str]:
    over = and_(overdue(now), ServiceKey.state == KeyState.ACTIVE)
    return set(
        session.scalars(
            select(ServiceKey.activation_id)
            .join(Device, Device.id == ServiceKey.device_id)
            .where(
                ServiceKey.activation_id.in_(activation_ids),
                or_(over, ServiceKey.ended_reason == "unconfirmed"),
            )
        )
    )


def _view(
    row: Activation,
    device_name: str | None,
    grants: Sequence[GrantView],
    active_keys: int,
    is_unanswered: bool,
    now: int,
) -> ActivationView:
    return ActivationView(
        id=row.id,
        ticket=row.ticket,
        stage=stage_of(row, now),
        created_at=row.created_at,
        expires_at=row.expires_at,
        document_expires_at=row.document_expires_at,
        redeemed_at=row.redeemed_at,
        rotates=row.rotates_key_id,
        device_id=row.device_id,
        device_name=device_name,
        address=row.address,
        ended_reason=row.ended_reason,
        grants=tuple(grants),
        active_keys=active_keys,
        is_code=row.handle is not None,
        is_unanswered=is_unanswered,
        is_set_up=row.made_by is not None and row.kind == "document",
    )
