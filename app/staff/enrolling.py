"""From a one-time link to a member who can sign in: password, second factor, printed codes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.database import Database, changed
from app.keystore.places import totp_waiting_place
from app.models import (
    LinkPurpose,
    Reach,
    Staff,
    StaffLink,
    StaffRole,
    StaffSession,
    StaffStage,
    StaffState,
    new_id,
)
from app.session_notes import notes_of
from app.staff import factors, links, passkeys, recovery, sessions, totp
from app.staff.factors import Factor
from app.staff.here import StaffHere

LINK: Final = "link"
SECRET: Final = "totp"  # noqa: S105  # a note's name


class Step(StrEnum):
    """What comes next."""

    PASSWORD = "password"  # noqa: S105  # a step's name
    FACTOR = "factor"
    CODES = "codes"


class LoginTakenError(Exception):
    """Somebody else signs in by that name."""


class NotReadyError(Exception):
    """A step is missing, or the sign-in has ended meanwhile."""


class WrongCodeError(Exception):
    """It is not the code that the app shows now."""


@dataclass(frozen=True)
class Choice:
    """Who somebody is, and how their password is kept."""

    name: str
    login: str
    password_hash: str = field(repr=False)


def begin(database: Session, untrusted_token: str, here: StaffHere) -> str:
    """Use a link up and return the token of the session in which its holder sets up a sign-in."""
    link = links.use(database, untrusted_token, now=here.now)
    token, _ = sessions.start(
        database,
        here.client,
        staff_id=link.staff_id,
        stage=StaffStage.ENROL,
        now=here.now,
        entropy=here.entropy,
        flow={LINK: link.id},
    )
    return token


def step(database: Session, session_id: str) -> tuple[Step, Staff | None]:
    """Return what comes next, and for whom."""
    row = database.get_one(StaffSession, session_id)
    staff = None if row.staff_id is None else database.get_one(Staff, row.staff_id)
    if staff is None or staff.password_hash is None:
        return Step.PASSWORD, staff
    return (Step.CODES if factors.count(database, staff) else Step.FACTOR), staff


def choose(database: Session, session_id: str, choice: Choice, here: StaffHere) -> None:
    """Keep the password; the first owner comes into being. Raises LoginTakenError."""
    session = database.get_one(StaffSession, session_id, with_for_update=True)
    if session.ended_at is not None:
        raise NotReadyError
    if session.staff_id is None:
        _first_owner(database, session, choice, here)
        return
    staff = database.get_one(Staff, session.staff_id, with_for_update=True)
    staff.name = choice.name
    staff.password_hash, staff.password_at = choice.password_hash, here.now
    database.flush()


def begin_totp(database: Session, session_id: str, here: StaffHere) -> bytes:
    """Return the secret that waits for its first code; it is made when there is none yet."""
    waiting = waiting_totp(database, session_id, here)
    if waiting is None:
        waiting = totp.new_secret(here)
        sealed = here.sealer.seal(waiting, totp_waiting_place(session_id), now=here.now)
        sessions.NOTES.put(database, session_id, SECRET, base64.b64encode(sealed).decode())
    return waiting


def waiting_totp(database: Session, session_id: str, here: StaffHere) -> bytes | None:
    """Return the secret that waits for its first code, or None."""
    sealed = sessions.NOTES.read(database, session_id, SECRET)
    if sealed is None:
        return None
    return here.sealer.open(base64.b64decode(sealed), totp_waiting_place(session_id))


def confirm_totp(
    database: Session, session_id: str, staff_id: str, untrusted_code: str, here: StaffHere
) -> None:
    """Make the waiting secret the member's own, or raise WrongCodeError."""
    secret = waiting_totp(database, session_id, here)
    if secret is None:
        raise NotReadyError
    found = totp.step_of(secret, untrusted_code, now=here.now)
    if found is None:
        raise WrongCodeError
    sessions.NOTES.take(database, session_id, SECRET)
    totp.keep(database, staff_id, secret, found, here)
    note_factor(database, staff_id, Act.STAFF_FACTOR_ADDED, Factor.TOTP, here)


def begin_passkey(
    database: Session, session_id: str, staff_id: str, here: StaffHere
) -> dict[str, Any]:
    """Return what a browser is asked for making a member's passkey."""
    return passkeys.begin_adding(database, session_id, database.get_one(Staff, staff_id), here)


def keep_passkey(
    database: Database, session_id: str, staff_id: str, untrusted: str, name: str, here: StaffHere
) -> None:
    """Keep the passkey that a browser made, with its audit row, or raise PasskeyError."""
    # Gone for good before the answer is looked at, even if that fails.
    with database.write() as session:
        challenge = passkeys.take(session, session_id)
    with database.write() as session:
        passkeys.add(session, challenge, staff_id, untrusted, name, here)
        note_factor(session, staff_id, Act.STAFF_FACTOR_ADDED, Factor.PASSKEY, here)


def note_factor(
    database: Session, staff_id: str, act: Act, factor: Factor, here: StaffHere
) -> None:
    """Audit that a member's own second factor came or went."""
    record(
        database,
        at=here.now,
        actor=f"staff:{staff_id}",
        act=act,
        target=staff_id,
        detail={"factor": factor.value, "address": here.client.address},
    )


def make_codes(database: Session, staff_id: str, hashes: list[bytes], here: StaffHere) -> None:
    """Keep a new set of printed codes, with its audit row."""
    recovery.replace(database, staff_id, hashes, here)
    record(
        database,
        at=here.now,
        actor=f"staff:{staff_id}",
        act=Act.STAFF_RECOVERY_CODES_MADE,
        target=staff_id,
    )


def finish(database: Session, session_id: str, here: StaffHere) -> str:
    """Open WebAdmin to who has set up everything; returns the new session's token."""
    reached, staff = step(database, session_id)
    if reached is not Step.CODES or staff is None or not recovery.left(database, staff.id):
        raise NotReadyError
    if not sessions.close(database, session_id, now=here.now):
        raise NotReadyError
    joined = (
        update(Staff)
        .where(Staff.id == staff.id, Staff.state == StaffState.INVITED)
        .values(state=StaffState.ACTIVE, seen_at=here.now)
    )
    if changed(database.execute(joined)) != 1:
        raise NotReadyError
    token, row = sessions.start(
        database,
        here.client,
        staff_id=staff.id,
        stage=StaffStage.FULL,
        now=here.now,
        entropy=here.entropy,
    )
    facts = {"address": here.client.address}
    for act, target in ((Act.STAFF_JOINED, staff.id), (Act.STAFF_SIGNED_IN, row.id)):
        actor = f"staff:{staff.id}"
        record(database, at=here.now, actor=actor, act=act, target=target, detail=facts)
    return token


def _first_owner(database: Session, session: StaffSession, choice: Choice, here: StaffHere) -> None:
    link = database.get_one(StaffLink, notes_of(session)[LINK])
    if link.purpose != LinkPurpose.FIRST:
        raise NotReadyError
    staff = Staff(
        id=new_id(here.entropy),
        login=choice.login,
        name=choice.name,
        address=None,
        role=StaffRole.OWNER,
        reach=Reach.EVERYONE,
        state=StaffState.INVITED,
        password_hash=choice.password_hash,
        password_at=here.now,
        created_at=here.now,
        created_by=links.OPERATOR,
    )
    if database.scalar(select(Staff.id).where(Staff.login == choice.login)) is not None:
        raise LoginTakenError
    database.add(staff)
    try:
        database.flush()
    except IntegrityError as error:
        raise LoginTakenError from error
    session.staff_id = link.staff_id = staff.id
    database.flush()
