"""A person's own audit, page by page. No framework here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.models import (
    AccountService,
    AuditEntry,
    Device,
    MailAccount,
    ServiceGrant,
    ServiceKey,
)

PER_PAGE: Final = 30


@dataclass(frozen=True)
class Event:
    """One act and the plain facts written with it."""

    id: int
    at: int
    actor: str
    act: str
    target: str | None
    facts: dict[str, str]


@dataclass(frozen=True)
class Page:
    """Some events, the newest first, and where the older ones begin."""

    events: tuple[Event, ...]
    older_before: int | None


def read_history(
    session: Session,
    person_id: str,
    *,
    before: int | None = None,
    targets: Sequence[str] = (),
    actor: str | None = None,
    limit: int = PER_PAGE,
) -> Page:
    """Return the events that concern this person, optionally only those about or by a thing."""
    query = select(AuditEntry).where(AuditEntry.subject_id == person_id)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if targets:
        query = query.where(or_(AuditEntry.target.in_(targets), AuditEntry.actor == actor))
    # One more than asked for tells whether there is an older page.
    rows = session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit + 1)).all()
    older = rows[limit - 1].id if len(rows) > limit else None
    shown = rows[:limit]
    named = _names(session, person_id, [row.target for row in shown if row.target])
    return Page(tuple(_event(row, named.get(row.target or "", {})) for row in shown), older)


def _event(row: AuditEntry, named: Mapping[str, str]) -> Event:
    detail: dict[str, Any] = json.loads(row.record).get("detail", {})
    written = {name: str(value) for name, value in detail.items()}
    # What was written with the act is the truth then; the rest is what the thing is called now.
    return Event(row.id, row.at, row.actor, row.act, row.target, {**named, **written})


def _names(session: Session, person_id: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what the person's devices, keys and activations among these ids are called."""
    named: dict[str, dict[str, str]] = {}
    devices = select(Device.id, Device.name).where(
        Device.person_id == person_id, Device.id.in_(ids)
    )
    for device_id, name in session.execute(devices):
        named[device_id] = {"device": name}
    for key_id, device, account, service, reason in session.execute(_keys(person_id, ids)):
        named[key_id] = {"device": device, "account": account, "service": service}
        if reason is not None:
            named[key_id]["reason"] = reason
    for activation_id, account in session.execute(_activations(person_id, ids)):
        before = named.get(str(activation_id), {}).get("account")
        named[str(activation_id)] = {"account": f"{before}, {account}" if before else account}
    return named


def _keys(person_id: str, ids: Sequence[str]) -> Select[str, str, str, str, str | None]:
    return (
        select(
            ServiceKey.id,
            Device.name,
            MailAccount.address,
            AccountService.service,
            ServiceKey.ended_reason,
        )
        .join(Device, Device.id == ServiceKey.device_id)
        .join(AccountService, AccountService.id == ServiceKey.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceKey.person_id == person_id, ServiceKey.id.in_(ids))
    )


def _activations(person_id: str, ids: Sequence[str]) -> Select[str | None, str]:
    return (
        select(ServiceGrant.activation_id, MailAccount.address)
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(MailAccount.person_id == person_id, ServiceGrant.activation_id.in_(ids))
        .distinct()
        .order_by(ServiceGrant.activation_id, MailAccount.address)
    )
