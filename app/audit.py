"""Audit rows, written in the same transaction as the act they tell of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, cast

from sqlalchemy import Connection, Table, insert
from sqlalchemy.orm import Session

from app.models.audit import AuditEntry
from app.prepared import Prepared

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_INSERT: Final = Prepared(
    insert(cast("Table", AuditEntry.__table__)),
    columns=("at", "actor", "act", "subject_id", "target", "record"),
)


class Act(StrEnum):
    """Every act that is audited; the portal has a sentence for each."""

    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    SESSION_ENDED = "session-ended"
    ACCOUNT_ADDED = "account-added"
    ACCOUNT_REMOVED = "account-removed"
    ACTIVATION_REQUESTED = "activation-requested"
    DOCUMENT_ISSUED = "document-issued"
    ACTIVATION_ENDED = "activation-ended"
    DEVICE_ACTIVATED = "device-activated"
    KEY_PROVEN = "key-proven"
    KEY_ROTATION_ASKED = "key-rotation-asked"
    KEY_ROTATION_BEGUN = "key-rotation-begun"
    KEY_ROTATED = "key-rotated"
    KEY_RETIRED = "key-retired"
    KEY_REVOKED = "key-revoked"
    DEVICE_CONFIRMED = "device-confirmed"
    DEVICE_REVOKED = "device-revoked"
    DEVICE_RESTORED = "device-restored"
    STOCK_MADE = "stock-made"
    PIN_CHANGED = "pin-changed"
    KEYS_CHANGED = "keys-changed"


def record(
    where: Session | Connection,
    *,
    at: int,
    actor: str,
    act: Act,
    subject: str | None = None,
    target: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Add one audit row; ``detail`` holds plain facts, never a secret."""
    facts = {"at": at, "actor": actor, "act": act, "subject": subject, "target": target}
    canonical = _CANONICAL.encode({**facts, "detail": dict(detail or {})})
    _INSERT.run(
        where.connection() if isinstance(where, Session) else where,
        {
            "at": at,
            "actor": actor,
            "act": act.value,
            "subject_id": subject,
            "target": target,
            "record": canonical.encode(),
        },
    )


def record_own(
    where: Session | Connection,
    act: Act,
    person_id: str,
    target: str,
    now: int,
    actor: str | None = None,
) -> None:
    """Add the row of an act on something of a person's, by themselves unless ``actor`` is given."""
    record(
        where,
        at=now,
        actor=actor or f"person:{person_id}",
        act=act,
        subject=person_id,
        target=target,
    )
