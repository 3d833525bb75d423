"""A person's own audit, page by page. No framework here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from app.auditing.reading import detail_of
from app.history.entries import Entry, Event, fold
from app.models import (
    AccountService,
    Activation,
    ApiToken,
    AuditEntry,
    Device,
    MailAccount,
    ServiceGrant,
    ServiceKey,
    Staff,
)

PER_PAGE: Final = 30
# So many events are read at once, and so many at most for one page: rotations leave four each.
CHUNK: Final = 100
MOST_EVENTS: Final = 500


@dataclass(frozen=True)
class Page:
    """Some entries, the newest first, and where the older ones begin."""

    entries: tuple[Entry, ...]
    older_before: int | None


def read_history(
    session: Session,
    person_id: str,
    *,
    before: int | None = None,
    targets: Sequence[str] = (),
    actor: str | None = None,
    limit: int = PER_PAGE,
    is_folded: bool = True,
) -> Page:
    """Return what concerns this person, optionally only what is about or by a thing.

    Rotations of one device that follow each other are one entry, unless ``is_folded`` is False.
    """
    query = select(AuditEntry).where(AuditEntry.subject_id == person_id)
    if targets:
        query = query.where(or_(AuditEntry.target.in_(targets), AuditEntry.actor == actor))
    events: list[Event] = []
    entries: list[Entry] = []
    has_more = True
    # An entry is complete once the next one has begun, or nothing follows.
    while has_more and len(entries) <= limit and len(events) < MOST_EVENTS:
        found, has_more = _read(session, person_id, query, events[-1].id if events else before)
        events += found
        entries = fold(events) if is_folded else [Entry((event,)) for event in events]
    shown = tuple(entries[:limit])
    is_last = not has_more and len(entries) <= limit
    return Page(shown, None if is_last else shown[-1].events[-1].id)


def _read(
    session: Session, person_id: str, query: Select[AuditEntry], before: int | None
) -> tuple[list[Event], bool]:
    """Return some events older than one, and whether there are more."""
    if before is not None:
        query = query.where(AuditEntry.id < before)
    # One more than wanted tells whether there are older ones.
    rows = session.scalars(query.order_by(AuditEntry.id.desc()).limit(CHUNK + 1)).all()
    named = _names(session, person_id, [row.target for row in rows if row.target])
    staff = _staff(session, {row.actor for row in rows})
    events = [
        _event(row, named.get(row.target or "", {}), staff.get(row.actor)) for row in rows[:CHUNK]
    ]
    return events, len(rows) > CHUNK


def _staff(session: Session, actors: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return name and role of the staff among these actors, and of who made its token."""
    found: dict[str, tuple[str, str]] = {}
    ids = {kind: _ids_of(kind, actors) for kind in ("staff", "token")}
    if ids["staff"]:
        of_staff = select(Staff.id, Staff.name, Staff.role).where(Staff.id.in_(ids["staff"]))
        for staff_id, name, role in session.execute(of_staff):
            found[f"staff:{staff_id}"] = (name, role)
    if ids["token"]:
        of_tokens = (
            select(ApiToken.id, Staff.name, Staff.role)
            .join(Staff, Staff.id == ApiToken.staff_id)
            .where(ApiToken.id.in_(ids["token"]))
        )
        for token_id, name, role in session.execute(of_tokens):
            found[f"token:{token_id}"] = (name, role)
    return found


def _ids_of(kind: str, actors: Collection[str]) -> list[str]:
    return [actor.partition(":")[2] for actor in actors if actor.partition(":")[0] == kind]


def _event(row: AuditEntry, named: Mapping[str, str], staff: tuple[str, str] | None) -> Event:
    written = {name: str(value) for name, value in detail_of(row).items()}
    # What was written with the act is the truth then; the rest is what the thing is called now.
    return Event(row.id, row.at, row.actor, row.act, row.target, {**named, **written}, staff)


def _names(session: Session, person_id: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what the person's devices, keys and activations among these ids are called."""
    named: dict[str, dict[str, str]] = {}
    devices = select(Device.id, Device.name).where(
        Device.person_id == person_id, Device.id.in_(ids)
    )
    for device_id, name in session.execute(devices):
        named[device_id] = {"device": name}
    for key in session.execute(_keys(person_id, ids)).mappings():
        # A fact that is not there is left out, so that no sentence uses it.
        named[key["id"]] = {name: fact for name, fact in key.items() if fact is not None}
    for activation_id, account in session.execute(_activations(person_id, ids)):
        before = named.get(str(activation_id), {}).get("account")
        named[str(activation_id)] = {"account": f"{before}, {account}" if before else account}
    return named


def _keys(person_id: str, ids: Sequence[str]) -> Select[Any]:
    rotation, successor = aliased(Activation), aliased(ServiceKey)
    replaced_by = (
        select(successor.id)
        .join(rotation, rotation.id == successor.activation_id)
        .where(rotation.rotates_key_id == ServiceKey.id, successor.proven_at.is_not(None))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            ServiceKey.id,
            ServiceKey.device_id,
            Device.name.label("device"),
            MailAccount.address.label("account"),
            AccountService.service,
            ServiceKey.ended_reason.label("ended"),
            Activation.rotates_key_id.label("replaces"),
            replaced_by.label("replaced_by"),
        )
        .join(Device, Device.id == ServiceKey.device_id)
        .join(Activation, Activation.id == ServiceKey.activation_id)
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
