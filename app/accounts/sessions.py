"""Sessions live in the database: who signed in holds a random token, the row only its hash.

A browser shows its token as a cookie, a client as a bearer token; neither is good as the other. A
client's session belongs to a device and ends when that device is revoked.

A visitor who has done nothing yet has a cookie but no row. The token against cross-site requests
is derived from the cookie's, so that it exists before the row does; at sign-in both change.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, CursorResult, select, true, update
from sqlalchemy.orm import Session

from app.audit import Act, record_own
from app.clock import DAY, HOUR, MINUTE
from app.models import SessionKind, WebSession, new_id
from app.session_notes import SessionNotes, notes_of, spell_notes
from protocol.encoding import b64u

TOKEN_BYTES: Final = 32
TOKEN_LENGTH: Final = 43
ANONYMOUS: Final = HOUR
IDLE: Final = HOUR
# How long a client stays signed in, used or not.
CLIENT_LIFETIME: Final = 30 * DAY
DEVICE: Final = "device"
# How stale `seen_at` may get: a write per minute and session, not one per request.
SEEN_STEP: Final = MINUTE
NOTES: Final = SessionNotes(WebSession)


@dataclass(frozen=True)
class Client:
    """Where a request came from."""

    address: str
    user_agent: str


@dataclass(frozen=True)
class ClientDevice:
    """The device whose client signs in, as it names itself."""

    jkt: str
    name: str


def new_token(entropy: Callable[[int], bytes]) -> str:
    """Return a fresh random token, for a cookie or to bear."""
    return b64u(entropy(TOKEN_BYTES))


def token_hash(token: str) -> bytes:
    """Return what the database keeps of a token."""
    return hashlib.sha256(token.encode()).digest()


def csrf_token(token: str) -> str:
    """Return the token that every form of this session carries."""
    return b64u(hmac.digest(token.encode(), b"handfast csrf", "sha256"))


def find(
    database: Session, untrusted_token: str, *, now: int, kind: SessionKind = SessionKind.BROWSER
) -> WebSession | None:
    """Return the living session of a token; one of the other kind is none."""
    found = database.scalar(
        select(WebSession).where(
            WebSession.token_hash == token_hash(untrusted_token), WebSession.kind == kind
        )
    )
    if found is None or found.ended_at is not None or now >= ends_at(found):
        return None
    return found


def is_known(database: Session, untrusted_token: str) -> bool:
    """Tell whether a token has a row at all, living or not."""
    return (
        database.scalar(
            select(WebSession.id).where(WebSession.token_hash == token_hash(untrusted_token))
        )
        is not None
    )


def ends_at(session: WebSession) -> int:
    """Return when the session ends if nothing more is done with it."""
    if session.kind == SessionKind.CLIENT:
        return session.expires_at
    return min(session.expires_at, session.seen_at + IDLE)


def is_final(session: WebSession) -> bool:
    """Tell whether the session ends then in any case, however much it is used."""
    return ends_at(session) == session.expires_at


def start(
    database: Session,
    token: str,
    client: Client,
    *,
    person_id: str | None,
    now: int,
    lifetime: int,
    entropy: Callable[[int], bytes],
    device: ClientDevice | None = None,
) -> WebSession:
    """Add the row for a token; ``person_id`` is None before sign-in, ``device`` in a browser."""
    session = WebSession(
        id=new_id(entropy),
        token_hash=token_hash(token),
        person_id=person_id,
        flow=spell_notes({} if device is None else {DEVICE: device.name}),
        address=client.address[:64],
        user_agent=client.user_agent[:256],
        created_at=now,
        seen_at=now,
        expires_at=now + lifetime,
        ended_at=None,
        kind=SessionKind.BROWSER if device is None else SessionKind.CLIENT,
        device_jkt=None if device is None else device.jkt,
    )
    database.add(session)
    database.flush()
    return session


def touch(database: Session, session_id: str, *, now: int) -> None:
    """Note that the session is in use."""
    database.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(seen_at=now)
    )


def of_person(database: Session, person_id: str, *, now: int) -> list[WebSession]:
    """Return the person's living sessions, the latest used first."""
    rows = database.scalars(
        select(WebSession)
        .where(WebSession.person_id == person_id, WebSession.ended_at.is_(None))
        .order_by(WebSession.seen_at.desc())
    )
    return [row for row in rows if now < ends_at(row)]


def end(
    database: Session,
    session_id: str,
    person_id: str,
    *,
    by_session: str | None,
    now: int,
    actor: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> bool:
    """End one of the person's sessions, with its audit row; False when there is none to end.

    ``by_session`` is the one that the person does it in; None when ``actor`` does.
    """
    result = database.execute(
        update(WebSession)
        .where(
            WebSession.id == session_id,
            WebSession.person_id == person_id,
            WebSession.ended_at.is_(None),
        )
        .values(ended_at=now, flow="{}")
    )
    if not _changed(result):
        return False
    act = Act.SIGNED_OUT if session_id == by_session else Act.SESSION_ENDED
    record_own(database, act, person_id, session_id, now, actor, detail=detail)
    return True


def replace(database: Session, session_id: str, *, now: int) -> None:
    """End the anonymous session that a sign-in is about to replace."""
    database.execute(
        update(WebSession).where(WebSession.id == session_id).values(ended_at=now, flow="{}")
    )


def end_clients(
    where: Session | Connection,
    person_id: str,
    jkt: str,
    *,
    now: int,
    actor: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """End the person's sessions of one device's client, each with its audit row."""
    which = WebSession.device_jkt == jkt
    _end_each(where, person_id, which, now=now, actor=actor, detail=detail)


def end_all(
    where: Session | Connection,
    person_id: str,
    *,
    now: int,
    actor: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> None:
    """End every session of the person, each with its audit row."""
    _end_each(where, person_id, true(), now=now, actor=actor, detail=detail)


def _end_each(
    where: Session | Connection,
    person_id: str,
    which: ColumnElement[bool],
    *,
    now: int,
    actor: str | None,
    detail: Mapping[str, str | int] | None,
) -> None:
    ended = where.execute(
        update(WebSession)
        .where(WebSession.person_id == person_id, which, WebSession.ended_at.is_(None))
        .values(ended_at=now, flow="{}")
        .returning(WebSession.id)
        .execution_options(synchronize_session=False)
    )
    for session_id in ended.scalars().all():
        record_own(where, Act.SESSION_ENDED, person_id, session_id, now, actor, detail=detail)


def device_name(session: WebSession) -> str | None:
    """Return what the device called itself whose client this is; None for a browser."""
    return notes_of(session).get(DEVICE)


def _changed(result: object) -> int:
    return cast("CursorResult[Any]", result).rowcount
