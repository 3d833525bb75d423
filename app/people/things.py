"""Lists of what people have: accounts, devices, activations, keys, sessions. No framework here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.activation.confirmation import is_overdue
from app.activation.status import Stage, stage_of
from app.models import (
    AccountService,
    Activation,
    Device,
    DeviceState,
    KeyState,
    MailAccount,
    Person,
    ServiceGrant,
    ServiceKey,
    WebSession,
    in_order,
)
from app.people import conditions, subjects
from app.people.listing import narrowed
from app.people.paging import PER_PAGE, Listing, Page, Place, read_page
from app.people.subjects import Subject
from app.signed_in.services import browser_and_system
from app.staff.reach import Actor
from protocol.words import words


@dataclass(frozen=True)
class Wanted:
    """What staff ask a list of things for."""

    text: str = ""
    state: str = ""
    # Whose things; empty for everybody's.
    person_id: str = ""
    # What a device says that it runs on; empty for any.
    platform: str = ""
    after: Place | None = None
    before: Place | None = None


@dataclass(frozen=True)
class Owner:
    """Whose thing it is, as lists name them."""

    id: str
    name: str
    address: str


@dataclass(frozen=True)
class AccountLine:
    """One mail account in a list."""

    id: str
    owner: Owner
    address: str
    is_proven: bool
    vouched_by: str
    bounced_at: int | None
    created_at: int


@dataclass(frozen=True)
class DeviceLine:
    """One device in a list; ``owner`` is None where the page names them already."""

    id: str
    owner: Owner | None
    name: str
    platform: str
    # active, unconfirmed, unanswered, revoked, wiping, or wiped.
    state: str
    created_at: int
    seen_at: int
    confirm_by: int | None


@dataclass(frozen=True)
class ActivationLine:
    """One activation in a list."""

    id: str
    owner: Owner
    stage: Stage
    is_code: bool
    services: tuple[tuple[str, str], ...]
    device_id: str | None
    device: str | None
    created_at: int
    expires_at: int


@dataclass(frozen=True)
class KeyLine:
    """One key in a list: its words tell it from others, and nothing of it is here."""

    id: str
    owner: Owner
    device_id: str
    device: str
    address: str
    service: str
    words: tuple[str, ...]
    # active, unproven, retired or revoked.
    state: str
    created_at: int
    rotate_at: int | None


@dataclass(frozen=True)
class SessionLine:
    """One living session in a list."""

    id: str
    owner: Owner
    device: str | None
    browser: str | None
    system: str | None
    address: str
    seen_at: int


def read_things(
    session: Session,
    actor: Actor,
    subject: Subject,
    wanted: Wanted,
    *,
    now: int,
    limit: int = PER_PAGE,
) -> Page:
    """Return a page of ids of the things that an actor may see, as they asked for them."""
    tests, people = _narrowed(session, actor, subject, wanted.text)
    if wanted.person_id:
        own = Person.id == wanted.person_id
        tests, people = (*tests, own), (*people, select(Person.id).where(own))
    if wanted.platform and subject is subjects.DEVICES:
        tests = (*tests, Device.platform == wanted.platform)
    listing = Listing(
        subject.orders(wanted.state, now),
        subject.table,
        (*tests, *subject.tests(wanted.state, now)),
        people,
    )
    return read_page(session, listing, after=wanted.after, before=wanted.before, limit=limit)


def account_lines(session: Session, ids: Sequence[str], *, now: int) -> list[AccountLine]:
    """Return the lines of some accounts, in the order of their ids."""
    del now
    rows = _rows(session, select(MailAccount).where(MailAccount.id.in_(ids)), ids)
    owners = owners_of(session, [row.person_id for row in rows])
    return [
        AccountLine(
            id=row.id,
            owner=owners[row.person_id],
            address=row.address,
            is_proven=row.proven_at is not None,
            vouched_by=row.vouched_by,
            bounced_at=row.bounced_at,
            created_at=row.created_at,
        )
        for row in rows
    ]


def device_lines(session: Session, ids: Sequence[str], *, now: int) -> list[DeviceLine]:
    """Return the lines of some devices, in the order of their ids."""
    rows = _rows(session, select(Device).where(Device.id.in_(ids)), ids)
    owners = owners_of(session, [row.person_id for row in rows])
    return [device_line(row, owners[row.person_id], now=now) for row in rows]


def device_line(row: Device, owner: Owner | None = None, *, now: int) -> DeviceLine:
    """Return the line of one device."""
    return DeviceLine(
        id=row.id,
        owner=owner,
        name=row.name,
        platform=row.platform,
        state=_device_state(row, now),
        created_at=row.created_at,
        seen_at=row.seen_at,
        confirm_by=row.confirm_by,
    )


def activation_lines(session: Session, ids: Sequence[str], *, now: int) -> list[ActivationLine]:
    """Return the lines of some activations, in the order of their ids."""
    rows = _rows(session, select(Activation).where(Activation.id.in_(ids)), ids)
    owners = owners_of(session, [row.person_id for row in rows])
    devices = _device_names(session, [row.device_id for row in rows if row.device_id])
    services = _services(session, ids)
    return [
        ActivationLine(
            id=row.id,
            owner=owners[row.person_id],
            stage=stage_of(row, now),
            is_code=row.handle is not None,
            services=tuple(services[row.id]),
            device_id=row.device_id,
            device=devices.get(row.device_id or ""),
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def key_lines(session: Session, ids: Sequence[str], *, now: int) -> list[KeyLine]:
    """Return the lines of some keys, in the order of their ids."""
    found = session.execute(
        select(ServiceKey, Device, MailAccount.address, AccountService.service)
        .join(Device, Device.id == ServiceKey.device_id)
        .join(AccountService, AccountService.id == ServiceKey.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceKey.id.in_(ids))
    )
    rows = {row[0].id: row for row in found}
    owners = owners_of(session, [row[0].person_id for row in rows.values()])
    return [
        KeyLine(
            id=key.id,
            owner=owners[key.person_id],
            device_id=device.id,
            device=device.name,
            address=address,
            service=service,
            words=words(key.fingerprint),
            state=_key_state(key, device, now),
            created_at=key.created_at,
            rotate_at=key.rotate_at,
        )
        for key, device, address, service in (rows[each] for each in ids if each in rows)
    ]


def session_lines(session: Session, ids: Sequence[str], *, now: int) -> list[SessionLine]:
    """Return the lines of some sessions, in the order of their ids."""
    del now
    rows = _rows(session, select(WebSession).where(WebSession.id.in_(ids)), ids)
    owners = owners_of(session, [row.person_id for row in rows])
    lines = []
    for row in rows:
        browser, system = browser_and_system(row.user_agent)
        device = sessions.device_name(row)
        owner = owners[row.person_id]
        lines.append(SessionLine(row.id, owner, device, browser, system, row.address, row.seen_at))
    return lines


def owners_of(session: Session, person_ids: Sequence[Any]) -> dict[str, Owner]:
    """Return what lists call some people."""
    addresses: dict[str, str] = {}
    rows = session.execute(
        select(MailAccount.person_id, MailAccount.address)
        .where(MailAccount.person_id.in_(person_ids))
        .order_by(MailAccount.proven_at.is_(None), MailAccount.created_at, MailAccount.id)
    )
    for person_id, address in rows:
        addresses.setdefault(person_id, address)
    people = session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids)))
    return {row.id: Owner(row.id, row.name, addresses.get(row.id, "")) for row in people}


def _narrowed(
    session: Session, actor: Actor, subject: Subject, text: str
) -> tuple[tuple[ColumnElement[bool], ...], tuple[Select[Any], ...]]:
    """Return what a search leaves over: one thing by its own id, or what some people have."""
    table = subject.table
    if len(text) in conditions.ID_LENGTHS and text.isascii() and text.isprintable():
        own = table.id == text
        if session.scalar(select(table.id).where(own)) is not None:
            tests, people = narrowed(session, actor, "")
            return (*tests, own), (*people, select(table.person_id).where(own))
    return narrowed(session, actor, text)


def _rows(session: Session, query: Select[Any], ids: Sequence[str]) -> list[Any]:
    rows = {row.id: row for row in session.scalars(query)}
    return [rows[each] for each in ids if each in rows]


def _device_state(row: Device, now: int) -> str:
    if row.wiped_at is not None:
        return "wiped"
    if row.wipe_asked_at is not None:
        return "wiping"
    if row.state == DeviceState.REVOKED:
        return "revoked"
    if row.confirmed_at is None and row.confirm_by is not None:
        return "unanswered" if row.confirm_by <= now else "unconfirmed"
    return "active"


def _key_state(key: ServiceKey, device: Device, now: int) -> str:
    if key.state != KeyState.ACTIVE:
        return key.state
    # No packet under such a key is taken any more, though nobody tidied up yet.
    if is_overdue(device.confirmed_at, device.confirm_by, now):
        return KeyState.REVOKED
    return "unproven" if key.proven_at is None else key.state


def _device_names(session: Session, ids: Sequence[str]) -> dict[str, str]:
    rows = session.execute(select(Device.id, Device.name).where(Device.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _services(session: Session, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return service and address of each grant, by activation."""
    rows = session.execute(
        select(ServiceGrant.activation_id, AccountService.service, MailAccount.address)
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceGrant.activation_id.in_(ids))
        .order_by(MailAccount.address, in_order(AccountService.service))
    )
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for activation_id, service, address in rows:
        found[str(activation_id)].append((service, address))
    return found
