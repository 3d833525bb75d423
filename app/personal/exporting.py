"""Everything that is kept about a person, for them to read: no secret, no sealed byte, no hash.

What is exported stands in lists of columns, so that a new column is nobody's by accident; a test
compares them with the tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from app.auditing.reading import detail_of
from app.clock import as_datetime
from app.models import (
    AccountService,
    Activation,
    AuditEntry,
    Base,
    Device,
    GroupMember,
    Invitation,
    MailAccount,
    OutgoingMail,
    Person,
    PersonGroup,
    ServiceKey,
    WebSession,
)
from app.people.timeline import names_of

# By table: what is exported of each row that is the person's.
COLUMNS: Final[Mapping[type[Base], Sequence[str]]] = {
    Person: ("id", "created_at", "name", "language", "disabled_at"),
    MailAccount: (
        "id",
        "address",
        "proven_at",
        "vouched_by",
        "host",
        "port",
        "security",
        "username",
        "smtp_host",
        "smtp_port",
        "smtp_security",
        "settings_at",
        "checked_at",
        "kept_at",
        "bounced_at",
        "created_at",
    ),
    AccountService: ("id", "account_id", "service", "service_uid", "created_at"),
    Device: (
        "id",
        "jkt",
        "name",
        "platform",
        "handler",
        "state",
        "created_at",
        "seen_at",
        "revoked_at",
        "confirmed_at",
        "wipe_asked_at",
        "wiped_at",
    ),
    ServiceKey: (
        "id",
        "device_id",
        "account_service_id",
        "state",
        "created_at",
        "proven_at",
        "rotate_at",
        "ended_at",
        "ended_reason",
    ),
    Activation: (
        "id",
        "kind",
        "made_by",
        "state",
        "created_at",
        "expires_at",
        "redeemed_at",
        "device_id",
        "address",
        "ended_reason",
    ),
    WebSession: (
        "id",
        "kind",
        "address",
        "user_agent",
        "created_at",
        "seen_at",
        "expires_at",
        "ended_at",
    ),
    Invitation: (
        "id",
        "address",
        "services",
        "state",
        "reason",
        "invited_by",
        "created_at",
        "expires_at",
        "ended_at",
    ),
    OutgoingMail: ("id", "address", "kind", "facts", "state", "created_at", "ended_at", "failure"),
}


def export(session: Session, person_id: str, *, service: str, now: int) -> bytes:
    """Return it as one JSON object, indented; moments are in ISO 8601."""
    mine = AccountService.account_id.in_(
        select(MailAccount.id).where(MailAccount.person_id == person_id)
    )
    content = {
        "service": service,
        "exported_at": _moment(now),
        "person": _rows(session, Person, Person.id == person_id)[0],
        "groups": list(session.scalars(_groups(person_id))),
        "mail_accounts": _of(session, MailAccount, person_id),
        "services": _rows(session, AccountService, mine),
        "devices": _of(session, Device, person_id),
        "keys": _of(session, ServiceKey, person_id),
        "activations": _of(session, Activation, person_id),
        "sessions": _of(session, WebSession, person_id),
        "invitations": _of(session, Invitation, person_id),
        "mail": _of(session, OutgoingMail, person_id),
        "history": _history(session, person_id),
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2)


def _groups(person_id: str) -> Select[str]:
    return (
        select(PersonGroup.name)
        .join(GroupMember, GroupMember.group_id == PersonGroup.id)
        .where(GroupMember.person_id == person_id)
        .order_by(PersonGroup.name)
    )


def _of(session: Session, table: Any, person_id: str) -> list[dict[str, Any]]:
    return _rows(session, table, table.person_id == person_id)


def _rows(session: Session, table: Any, which: ColumnElement[bool]) -> list[dict[str, Any]]:
    names = COLUMNS[table]
    columns = [getattr(table, name) for name in names]
    rows = session.execute(select(*columns).where(which).order_by(table.created_at, table.id)).all()
    return [
        {name: _shown(name, value) for name, value in zip(names, row, strict=True)} for row in rows
    ]


def _history(session: Session, person_id: str) -> list[dict[str, Any]]:
    """Return what the audit has about the person, and what it has of them as who did it."""
    entries = session.scalars(
        select(AuditEntry)
        .where(or_(AuditEntry.subject_id == person_id, AuditEntry.actor == f"person:{person_id}"))
        .order_by(AuditEntry.at, AuditEntry.id)
    ).all()
    names = names_of(session, {entry.actor for entry in entries})
    return [
        {
            "at": _moment(entry.at),
            "act": entry.act,
            "by": entry.actor,
            "by_name": names.get(entry.actor),
            "target": entry.target,
            "facts": detail_of(entry),
        }
        for entry in entries
    ]


def _shown(name: str, value: Any) -> Any:
    is_moment = name.endswith("_at") and isinstance(value, int)
    if name == "facts":
        return msgspec.json.decode(value)
    return _moment(value) if is_moment else value


def _moment(value: int) -> str:
    return as_datetime(value).isoformat(timespec="milliseconds")
