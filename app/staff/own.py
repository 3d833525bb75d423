"""What members of staff do about themselves: name, password, second factors, sessions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import Staff, StaffPasskey
from app.staff import factors, passkeys, recovery, sessions, totp
from app.staff.enrolling import note_factor
from app.staff.factors import Factor
from app.staff.here import StaffHere


class LastFactorError(Exception):
    """Without this second factor there would be none."""


class MissingError(Exception):
    """There is no such thing of theirs."""


@dataclass(frozen=True)
class Own:
    """What a member's profile shows."""

    login: str
    name: str
    address: str | None
    password_at: int | None
    has_totp: bool
    passkeys: tuple[StaffPasskey, ...]
    codes_left: int

    @property
    def may_remove(self) -> bool:
        """Tell whether a second factor would be left after one is removed."""
        return self.has_totp + len(self.passkeys) > 1


def view(database: Session, staff_id: str) -> Own:
    """Return what a member's profile shows."""
    staff = database.get_one(Staff, staff_id)
    return Own(
        login=staff.login,
        name=staff.name,
        address=staff.address,
        password_at=staff.password_at,
        has_totp=staff.totp_sealed is not None,
        passkeys=tuple(passkeys.of(database, staff_id)),
        codes_left=recovery.left(database, staff_id),
    )


def rename(database: Session, staff_id: str, name: str, here: StaffHere) -> None:
    """Change what a member is called."""
    staff = database.get_one(Staff, staff_id)
    if staff.name == name:
        return
    staff.name = name
    database.flush()
    _record(database, Act.STAFF_CHANGED, staff_id, here, {"name": name})


def change_password(
    database: Session, staff_id: str, session_id: str, password_hash: str, here: StaffHere
) -> str:
    """Keep a new password; every other session ends, and this one gets the token returned.

    Raises EndedError where this one has ended, too: then the password stays as it was.
    """
    staff = database.get_one(Staff, staff_id)
    staff.password_hash, staff.password_at = password_hash, here.now
    database.flush()
    sessions.end_all(database, staff_id, now=here.now, keep=session_id)
    _record(database, Act.STAFF_PASSWORD_CHANGED, staff_id, here)
    return sessions.confirm(database, session_id, now=here.now, entropy=here.entropy)


def remove_totp(database: Session, staff_id: str, here: StaffHere) -> None:
    """Forget the authenticator app, or raise LastFactorError."""
    staff = _held(database, staff_id)
    if staff.totp_sealed is None:
        raise MissingError
    _keep_one(database, staff)
    totp.forget(database, staff_id)
    note_factor(database, staff_id, Act.STAFF_FACTOR_REMOVED, Factor.TOTP, here)


def remove_passkey(database: Session, staff_id: str, passkey_id: str, here: StaffHere) -> None:
    """Forget a passkey, or raise LastFactorError or MissingError."""
    staff = _held(database, staff_id)
    if find_passkey(database, staff_id, passkey_id) is None:
        raise MissingError
    _keep_one(database, staff)
    passkeys.remove(database, staff_id, passkey_id)
    note_factor(database, staff_id, Act.STAFF_FACTOR_REMOVED, Factor.PASSKEY, here)


def find_passkey(database: Session, staff_id: str, passkey_id: str) -> StaffPasskey | None:
    """Return one of a member's passkeys."""
    found = [one for one in passkeys.of(database, staff_id) if one.id == passkey_id]
    return found[0] if found else None


def sign_out(database: Session, staff_id: str, session_id: str, here: StaffHere) -> bool:
    """End the session that a member is signed in with; False when it has ended already."""
    if not sessions.end(database, session_id, staff_id, now=here.now):
        return False
    _record(database, Act.STAFF_SIGNED_OUT, staff_id, here, target=session_id)
    return True


def end_session(database: Session, staff_id: str, session_id: str, here: StaffHere) -> bool:
    """End one of a member's own sessions; False when there is none to end."""
    if not sessions.end(database, session_id, staff_id, now=here.now):
        return False
    _record(database, Act.STAFF_SESSION_ENDED, staff_id, here, target=session_id)
    return True


def end_others(database: Session, staff_id: str, session_id: str, here: StaffHere) -> int:
    """End all of a member's own sessions but one, and return how many ended."""
    ended = sessions.end_all(database, staff_id, now=here.now, keep=session_id)
    if ended:
        _record(database, Act.STAFF_SESSION_ENDED, staff_id, here, {"count": ended})
    return ended


def _held(database: Session, staff_id: str) -> Staff:
    """Return the row, held until the transaction ends: two factors may not go at once."""
    query = select(Staff).where(Staff.id == staff_id).with_for_update()
    return database.scalars(query).one()


def _keep_one(database: Session, staff: Staff) -> None:
    if factors.count(database, staff) < 2:
        raise LastFactorError


def _record(
    database: Session,
    act: Act,
    staff_id: str,
    here: StaffHere,
    detail: Mapping[str, str | int] | None = None,
    target: str | None = None,
) -> None:
    record(
        database,
        at=here.now,
        actor=f"staff:{staff_id}",
        act=act,
        target=target or staff_id,
        detail=detail,
    )
