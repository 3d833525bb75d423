"""Passkeys (WebAuthn): made for our host, used on our origin, by who unlocked the authenticator.

A challenge waits in the session's notes and is taken out before the answer is looked at, so that
an answer counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.database import changed
from app.models import Staff, StaffPasskey, StaffState, new_id
from app.staff.here import StaffHere
from app.staff.sessions import NOTES
from protocol.encoding import unb64u

NOTE: Final = "passkey"
MAX_ANSWER: Final = 16 * 1024
MAX_NAME: Final = 100
CHALLENGE_BYTES: Final = 32


class PasskeyError(Exception):
    """The answer is not one to our challenge, or not from a passkey of theirs."""


@dataclass(frozen=True)
class Challenge:
    """What the library keeps between question and answer."""

    state: Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """Whose passkey answered."""

    staff_id: str
    passkey_id: str


def begin_adding(
    database: Session, session_id: str, staff: Staff, here: StaffHere
) -> dict[str, Any]:
    """Return the options for making a passkey, and note their challenge."""
    options, state = _server(here).register_begin(
        PublicKeyCredentialUserEntity(
            id=unb64u(staff.id, length=16), name=staff.login, display_name=staff.name
        ),
        [AttestedCredentialData(one.credential) for one in of(database, staff.id)],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=here.entropy(CHALLENGE_BYTES),
    )
    NOTES.put(database, session_id, NOTE, dict(state))
    return dict(options.public_key)


def take(database: Session, session_id: str) -> Challenge:
    """Take the challenge that waits in a session, in a transaction of its own; or PasskeyError."""
    state = NOTES.take(database, session_id, NOTE)
    if state is None:
        raise PasskeyError
    return Challenge(state)


def add(
    database: Session,
    challenge: Challenge,
    staff_id: str,
    untrusted: str,
    name: str,
    here: StaffHere,
) -> StaffPasskey:
    """Keep the passkey that was made, or raise PasskeyError."""
    answer = _read(untrusted)
    with _as_passkey_error():
        made = _server(here).register_complete(challenge.state, answer)
    if made.credential_data is None:
        raise PasskeyError
    credential = made.credential_data
    if _by_credential(database, credential.credential_id) is not None:
        raise PasskeyError
    row = StaffPasskey(
        id=new_id(here.entropy),
        staff_id=staff_id,
        credential_id=credential.credential_id,
        credential=bytes(credential),
        sign_count=made.counter,
        name=name[:MAX_NAME],
        created_at=here.now,
        used_at=None,
    )
    database.add(row)
    database.flush()
    return row


def begin_showing(
    database: Session, session_id: str, staff_id: str | None, here: StaffHere
) -> dict[str, Any]:
    """Return the options for using a passkey, and note their challenge; None: anybody's."""
    known = [] if staff_id is None else of(database, staff_id)
    options, state = _server(here).authenticate_begin(
        [AttestedCredentialData(one.credential) for one in known] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=here.entropy(CHALLENGE_BYTES),
    )
    NOTES.put(database, session_id, NOTE, dict(state))
    return dict(options.public_key)


def show(
    database: Session,
    challenge: Challenge,
    staff_id: str | None,
    untrusted: str,
    here: StaffHere,
) -> Shown:
    """Return whose passkey answered the challenge, or raise PasskeyError; None: anybody's."""
    answer = _parsed(_read(untrusted))
    row = _by_credential(database, answer.raw_id)
    if row is None or staff_id not in {None, row.staff_id}:
        raise PasskeyError
    handle = answer.response.user_handle
    if handle and handle != unb64u(row.staff_id, length=16):
        raise PasskeyError
    with _as_passkey_error():
        known = [AttestedCredentialData(row.credential)]
        _server(here).authenticate_complete(challenge.state, known, answer)
    _count(database, row, answer.response.authenticator_data.counter, here)
    return Shown(row.staff_id, row.id)


def of(database: Session, staff_id: str) -> list[StaffPasskey]:
    """Return a member's passkeys, the oldest first."""
    query = select(StaffPasskey).where(StaffPasskey.staff_id == staff_id)
    return list(database.scalars(query.order_by(StaffPasskey.created_at, StaffPasskey.id)))


def remove(database: Session, staff_id: str, passkey_id: str) -> bool:
    """Forget a passkey; False when there is none."""
    gone = delete(StaffPasskey).where(
        StaffPasskey.id == passkey_id, StaffPasskey.staff_id == staff_id
    )
    return changed(database.execute(gone)) == 1


def _count(database: Session, row: StaffPasskey, count: int, here: StaffHere) -> None:
    """Note the use; an authenticator that counts never shows the same number twice."""
    before = StaffPasskey.sign_count < count if count else StaffPasskey.sign_count == 0
    counted = update(StaffPasskey).where(StaffPasskey.id == row.id, before)
    if changed(database.execute(counted.values(sign_count=count, used_at=here.now))) != 1:
        raise PasskeyError


def _server(here: StaffHere) -> Fido2Server:
    party = PublicKeyCredentialRpEntity(id=here.host, name=here.service_name)
    return Fido2Server(party, verify_origin=lambda origin: origin == here.issuer)


def _by_credential(database: Session, credential_id: bytes) -> StaffPasskey | None:
    return database.scalar(
        select(StaffPasskey)
        .join(Staff, Staff.id == StaffPasskey.staff_id)
        .where(StaffPasskey.credential_id == credential_id, Staff.state != StaffState.DISABLED)
    )


def _read(untrusted: str) -> dict[str, Any]:
    if len(untrusted) > MAX_ANSWER:
        raise PasskeyError
    try:
        answer = json.loads(untrusted)
    except (ValueError, RecursionError) as error:
        raise PasskeyError from error
    if not isinstance(answer, dict):
        raise PasskeyError
    return answer


def _parsed(untrusted: dict[str, Any]) -> AuthenticationResponse:
    with _as_passkey_error():
        return AuthenticationResponse.from_dict(untrusted)


@contextmanager
def _as_passkey_error() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # The library raises whatever its decoders do; all of it means the same.
        raise PasskeyError from error
