"""The second factor: a code from an app, a passkey, or one of the printed codes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import Staff, StaffPasskey
from app.staff import recovery, totp
from app.staff.here import StaffHere


class Factor(StrEnum):
    """With what somebody showed who they are, beside their password."""

    TOTP = "totp"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery-code"


@dataclass(frozen=True)
class GivenCode:
    """A code as somebody typed it, of whichever kind; the slow part of checking it is done."""

    untrusted: str = field(repr=False)
    recovery_hash: bytes | None = field(repr=False)


def given_code(staff_id: str, untrusted: str, here: StaffHere) -> GivenCode:
    """Prepare a code for ``accept_code``; before the transaction, since it may take a while."""
    if recovery.looks_like_one(untrusted):
        return GivenCode(untrusted, recovery.hash_of(staff_id, untrusted, here))
    return GivenCode(untrusted, None)


def accept_code(
    database: Session, staff: Staff, given: GivenCode, here: StaffHere
) -> Factor | None:
    """Use up a code and return what it was; None when it is wrong or was used before."""
    if given.recovery_hash is not None:
        if not recovery.accept(database, staff.id, given.recovery_hash, here):
            return None
        record(
            database,
            at=here.now,
            actor=f"staff:{staff.id}",
            act=Act.STAFF_RECOVERY_CODE_USED,
            target=staff.id,
            detail={"left": recovery.left(database, staff.id), "address": here.client.address},
        )
        return Factor.RECOVERY_CODE
    return Factor.TOTP if totp.accept(database, staff, given.untrusted, here) else None


def count(database: Session, staff: Staff) -> int:
    """Return how many second factors a member has; printed codes only stand in for one."""
    passkeys = select(StaffPasskey.id).where(StaffPasskey.staff_id == staff.id)
    return len(database.scalars(passkeys).all()) + (staff.totp_sealed is not None)
