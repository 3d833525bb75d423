"""Signing in: the password, then a second factor; or a passkey, which is both.

Whatever is wrong with a password, and whoever it is for, the answer and its time are the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.database import Database
from app.models import Staff, StaffStage, StaffState
from app.staff import factors, passkeys, recovery, sessions
from app.staff.factors import Factor
from app.staff.here import StaffHere
from app.throttle import Throttles

MAX_LOGIN: Final = 100
NEXT: Final = "next"


class RefusedError(Exception):
    """This is not how anybody signs in."""


@dataclass(frozen=True)
class Opened:
    """A session that opens WebAdmin, and who came in how."""

    token: str = field(repr=False)
    session_id: str
    staff_id: str
    login: str
    factor: Factor
    # Printed codes that can still be used.
    codes_left: int


@dataclass(frozen=True)
class Asked:
    """What to ask an authenticator, and the token of the session in which its answer counts."""

    options: dict[str, Any] = field(repr=False)
    # None where the browser has it already.
    token: str | None = field(repr=False)


def normal_login(untrusted: str) -> str:
    """Return a login as it is kept."""
    return untrusted.strip().lower()[:MAX_LOGIN]


def account_of(login: str) -> str:
    """Return the name under which guesses at somebody's sign-in are counted."""
    return f"staff {login}"


def codes_of(staff_id: str) -> str:
    """Return the name under which guesses at somebody's second factor are counted."""
    return f"staff code {staff_id}"


def give_password(
    database: Database, untrusted_login: str, untrusted_password: str, wanted: str, here: StaffHere
) -> str:
    """Return the token of a session that waits for the second factor, or raise RefusedError."""
    with database.read() as session:
        staff = session.scalar(select(Staff).where(Staff.login == normal_login(untrusted_login)))
    kept = staff.password_hash if staff and staff.state == StaffState.ACTIVE else None
    is_right = here.hasher.matches(kept, untrusted_password)
    if staff is None or kept is None or not is_right:
        with database.write() as session:
            _note_failure(session, staff, "password", here)
        raise RefusedError
    if here.hasher.is_outdated(kept):
        _rehash(database, staff.id, kept, untrusted_password, here)
    with database.write() as session:
        token, _ = sessions.start(
            session,
            here.client,
            staff_id=staff.id,
            stage=StaffStage.PASSWORD,
            now=here.now,
            entropy=here.entropy,
            flow={NEXT: wanted},
        )
    return token


def give_code(
    database: Database, session_id: str, staff_id: str, untrusted_code: str, here: StaffHere
) -> Opened:
    """Finish with a code of either kind, or raise RefusedError."""
    given = factors.given_code(staff_id, untrusted_code, here)
    with database.write() as session:
        staff = session.get_one(Staff, staff_id)
        used = factors.accept_code(session, staff, given, here)
        if used is not None and staff.state == StaffState.ACTIVE:
            return _open(session, session_id, staff, used, here)
        _note_failure(session, staff, "second-factor", here)
    raise RefusedError


def begin_passkey(
    database: Session,
    waiting: str | None,
    staff_id: str | None,
    untrusted_token: str,
    here: StaffHere,
) -> Asked:
    """Ask for a passkey in the session that waits for it; where none does, in a new one.

    Nobody is signed in with the token that a form had before there was any row, so a new session
    may have it; the token of a session that is, or was, stays that session's.
    """
    token = None
    if waiting is None:
        is_free = not sessions.is_known(database, untrusted_token)
        given, row = sessions.start(
            database,
            here.client,
            staff_id=None,
            stage=StaffStage.PASSWORD,
            now=here.now,
            entropy=here.entropy,
            token=untrusted_token if is_free else None,
        )
        waiting, token = row.id, None if is_free else given
    return Asked(passkeys.begin_showing(database, waiting, staff_id, here), token)


def show_passkey(
    database: Database, session_id: str, staff_id: str | None, untrusted: str, here: StaffHere
) -> Opened:
    """Finish with a passkey, or raise RefusedError."""
    try:
        challenge = _challenge(database, session_id)
        with database.write() as session:
            shown = passkeys.show(session, challenge, staff_id, untrusted, here)
            staff = session.get_one(Staff, shown.staff_id)
            if staff.state != StaffState.ACTIVE:
                raise passkeys.PasskeyError
            return _open(session, session_id, staff, Factor.PASSKEY, here)
    except passkeys.PasskeyError as error:
        _note(database, staff_id, "passkey", here)
        raise RefusedError from error


def confirm(
    database: Database,
    session_id: str,
    staff_id: str,
    untrusted_password: str,
    untrusted_code: str,
    here: StaffHere,
) -> str:
    """Let somebody who is signed in show again who they are; the session's new token."""
    with database.read() as session:
        staff = session.get_one(Staff, staff_id)
    given = factors.given_code(staff_id, untrusted_code, here)
    is_right = here.hasher.matches(staff.password_hash, untrusted_password)
    with database.write() as session:
        staff = session.get_one(Staff, staff_id)
        # A code is used up only beside the right password.
        used = factors.accept_code(session, staff, given, here) if is_right else None
        if used is not None:
            return _confirmed(session, session_id, staff, used, here)
        _note_failure(session, staff, "confirming", here)
    raise RefusedError


def confirm_by_passkey(
    database: Database, session_id: str, staff_id: str, untrusted: str, here: StaffHere
) -> str:
    """The same with a passkey."""
    try:
        challenge = _challenge(database, session_id)
        with database.write() as session:
            passkeys.show(session, challenge, staff_id, untrusted, here)
            staff = session.get_one(Staff, staff_id)
            return _confirmed(session, session_id, staff, Factor.PASSKEY, here)
    except passkeys.PasskeyError as error:
        _note(database, staff_id, "confirming", here)
        raise RefusedError from error


def wanted_by(database: Session, session_id: str) -> str:
    """Return where the sign-in was going."""
    return str(sessions.NOTES.read(database, session_id, NEXT) or "")


def forgive(database: Database, throttles: Throttles, opened: Opened, here: StaffHere) -> None:
    """After a good sign-in: the address is the member's own from now on."""
    with database.write() as session:
        for account in (account_of(opened.login), codes_of(opened.staff_id)):
            throttles.forgive(session, account, here.client.address, now=here.now)


def _open(
    database: Session, session_id: str, staff: Staff, factor: Factor, here: StaffHere
) -> Opened:
    """Put a full session in the place of the one that waited; of two at once one gets it."""
    if not sessions.close(database, session_id, now=here.now):
        raise RefusedError
    token, row = sessions.start(
        database,
        here.client,
        staff_id=staff.id,
        stage=StaffStage.FULL,
        now=here.now,
        entropy=here.entropy,
    )
    database.execute(update(Staff).where(Staff.id == staff.id).values(seen_at=here.now))
    record(
        database,
        at=here.now,
        actor=f"staff:{staff.id}",
        act=Act.STAFF_SIGNED_IN,
        target=row.id,
        detail={"factor": factor.value, "address": here.client.address},
    )
    left = recovery.left(database, staff.id)
    return Opened(token, row.id, staff.id, staff.login, factor, left)


def _confirmed(
    database: Session, session_id: str, staff: Staff, factor: Factor, here: StaffHere
) -> str:
    record(
        database,
        at=here.now,
        actor=f"staff:{staff.id}",
        act=Act.STAFF_CONFIRMED,
        target=session_id,
        detail={"factor": factor.value, "address": here.client.address},
    )
    return sessions.confirm(database, session_id, now=here.now, entropy=here.entropy)


def _rehash(database: Database, staff_id: str, kept: str, password: str, here: StaffHere) -> None:
    """Keep the password as one would today; nothing is lost if it changed meanwhile."""
    renewed = here.hasher.hash(password)
    with database.write() as session:
        session.execute(
            update(Staff)
            .where(Staff.id == staff_id, Staff.password_hash == kept)
            .values(password_hash=renewed)
        )


def _challenge(database: Database, session_id: str) -> passkeys.Challenge:
    # Gone for good before the answer is looked at, even if that fails.
    with database.write() as session:
        return passkeys.take(session, session_id)


def _note(database: Database, staff_id: str | None, cause: str, here: StaffHere) -> None:
    with database.write() as session:
        staff = None if staff_id is None else session.get(Staff, staff_id)
        _note_failure(session, staff, cause, here)


def _note_failure(database: Session, staff: Staff | None, cause: str, here: StaffHere) -> None:
    """Audit a failed step. What was typed as a login is not kept: it may be a password."""
    record(
        database,
        at=here.now,
        actor="system",
        act=Act.STAFF_SIGN_IN_FAILED,
        target=None if staff is None else staff.id,
        detail={"cause": cause, "address": here.client.address},
    )
