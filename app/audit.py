"""Audit rows, written in the same transaction as the act they tell of.

A record is canonical JSON and stays for ever. What is personal is not in it: names, addresses and
reasons stand in ``detail``, and the record has only ``commitment`` to them. So they can be erased
with their person, and the chain over the records holds. docs/audit.md has it byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.database import DatabaseUnavailableError
from app.models.audit import AuditEntry
from app.prepared import Prepared
from protocol.encoding import b64u, lv_cat

DETAIL_LABEL: Final = "handfast/1 audit detail"
SALT_BYTES: Final = 16
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_INSERT: Final = Prepared(
    insert(cast("Table", AuditEntry.__table__)),
    columns=("at", "actor", "act", "subject_id", "target", "record", "detail", "salt"),
)


class AuditUnavailableError(DatabaseUnavailableError):
    """The act could not be audited, so it did not happen."""


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
    CODE_MADE = "code-made"
    CODE_BURNT = "code-burnt"
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
    ADDRESS_CHALLENGED = "address-challenged"
    ADDRESS_PROVEN = "address-proven"
    MAIL_BOUNCED = "mail-bounced"
    PIN_CHANGED = "pin-changed"
    KEYS_CHANGED = "keys-changed"
    PERSON_INVITED = "person-invited"
    PERSON_INVITED_AGAIN = "person-invited-again"
    INVITATION_WITHDRAWN = "invitation-withdrawn"
    INVITATION_ACCEPTED = "invitation-accepted"
    INVITATION_EXPIRED = "invitation-expired"
    SERVICES_CHOSEN = "services-chosen"
    DEVICE_WIPE_ASKED = "device-wipe-asked"
    DEVICE_WIPED = "device-wiped"
    PERSON_DISABLED = "person-disabled"
    PERSON_ENABLED = "person-enabled"
    PERSON_RENAMED = "person-renamed"
    PERSON_GROUPED = "person-grouped"
    ADDRESS_CHANGE_ASKED = "address-change-asked"
    ADDRESS_RELEASED = "address-released"
    ADDRESS_KEPT = "address-kept"
    ADDRESS_CONTESTED = "address-contested"
    AUDIT_VERIFIED = "audit-verified"
    AUDIT_EXPORTED = "audit-exported"
    DATA_EXPORTED = "data-exported"
    PERSON_DELETED = "person-deleted"
    WEBHOOK_CHANGED = "webhook-changed"
    WEBHOOK_TESTED = "webhook-tested"
    WEBHOOK_GAVE_UP = "webhook-gave-up"
    STAFF_LINK_MADE = "staff-link-made"
    STAFF_LINK_OPENED = "staff-link-opened"
    STAFF_INVITED = "staff-invited"
    STAFF_JOINED = "staff-joined"
    STAFF_SIGNED_IN = "staff-signed-in"
    STAFF_SIGN_IN_FAILED = "staff-sign-in-failed"
    STAFF_CONFIRMED = "staff-confirmed"
    STAFF_SIGNED_OUT = "staff-signed-out"
    STAFF_SESSION_ENDED = "staff-session-ended"
    STAFF_PASSWORD_CHANGED = "staff-password-changed"  # noqa: S105  # an act's name
    STAFF_FACTOR_ADDED = "staff-factor-added"
    STAFF_FACTOR_REMOVED = "staff-factor-removed"
    STAFF_RECOVERY_CODES_MADE = "staff-recovery-codes-made"
    STAFF_RECOVERY_CODE_USED = "staff-recovery-code-used"
    STAFF_CHANGED = "staff-changed"
    STAFF_ROLE_CHANGED = "staff-role-changed"
    STAFF_REACH_CHANGED = "staff-reach-changed"
    STAFF_DISABLED = "staff-disabled"
    STAFF_ENABLED = "staff-enabled"
    STAFF_RESET = "staff-reset"
    TOKEN_MADE = "token-made"  # noqa: S105  # an act's name
    TOKEN_ENDED = "token-ended"  # noqa: S105  # an act's name
    LIST_UPLOADED = "list-uploaded"
    LIST_ORDERED = "list-ordered"
    LIST_TAKEN = "list-taken"
    LIST_ENDED = "list-ended"
    PEOPLE_EXPORTED = "people-exported"
    GROUP_MADE = "group-made"
    GROUP_RENAMED = "group-renamed"
    GROUP_REMOVED = "group-removed"


def record(
    where: Session | Connection,
    *,
    at: int,
    actor: str,
    act: Act,
    subject: str | None = None,
    target: str | None = None,
    detail: Mapping[str, str | int] | None = None,
    entropy: Callable[[int], bytes] = os.urandom,
) -> None:
    """Add one audit row; ``detail`` holds plain facts, never a secret.

    Raises AuditUnavailableError if it cannot be written; the caller's transaction then ends.
    """
    row = row_of(
        at=at, actor=actor, act=act, subject=subject, target=target, detail=detail, entropy=entropy
    )
    try:
        _INSERT.run(where.connection() if isinstance(where, Session) else where, row)
    except (OperationalError, InterfaceError):
        # The transaction's own handling of a database that is away.
        raise
    except DBAPIError as error:
        raise AuditUnavailableError(type(error.orig).__name__) from error


def row_of(
    *,
    at: int,
    actor: str,
    act: Act,
    subject: str | None,
    target: str | None,
    detail: Mapping[str, str | int] | None,
    entropy: Callable[[int], bytes],
) -> dict[str, Any]:
    """Return the row of one act, for whoever writes very many at once."""
    text, salt = None, None
    if detail:
        text, salt = _CANONICAL.encode(dict(detail)), entropy(SALT_BYTES)
    return {
        "at": at,
        "actor": actor,
        "act": act.value,
        "subject_id": subject,
        "target": target,
        "detail": text,
        "salt": salt,
        "record": canonical_record(
            at=at, actor=actor, act=act.value, subject=subject, target=target, hashed=(salt, text)
        ),
    }


def canonical_record(
    *,
    at: int,
    actor: str,
    act: str,
    subject: str | None,
    target: str | None,
    hashed: tuple[bytes | None, str | None],
) -> bytes:
    """Return the bytes that the chain is over; ``hashed`` is the salt and the detail."""
    salt, detail = hashed
    facts: dict[str, str | int | None] = {
        "act": act,
        "actor": actor,
        "at": at,
        "commitment": None if salt is None or detail is None else b64u(commitment(salt, detail)),
        "subject": subject,
        "target": target,
    }
    return _CANONICAL.encode(facts).encode()


def commitment(salt: bytes, detail: str) -> bytes:
    """Return SHA-256 over label, salt and detail, each after its length in LEB128.

    Without the salt nobody can try addresses until the hash fits.
    """
    return hashlib.sha256(lv_cat(DETAIL_LABEL, salt, detail)).digest()


def record_own(
    where: Session | Connection,
    act: Act,
    person_id: str,
    target: str,
    now: int,
    actor: str | None = None,
    *,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """Add the row of an act on something of a person's, by themselves unless ``actor`` is given."""
    record(
        where,
        at=now,
        actor=actor or f"person:{person_id}",
        act=act,
        subject=person_id,
        target=target,
        detail=detail,
    )
