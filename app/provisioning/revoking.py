"""Staff end a key, a device, a session or an activation of somebody's, or ask for a new key.

Keys, devices and activations need DEVICES_REVOKE, sessions SESSIONS_END. Each raises GoneError
where there is nothing to end, ReasonError, OutOfReachError or ColleagueError.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import sessions
from app.activation import revocation
from app.activation.rotation import wish_rotation
from app.models import AccountService, Device, MailAccount, ServiceKey
from app.models.tables import SERVICE_KEY
from app.outbox.kinds import MailKind
from app.provisioning.acts import GoneError, begin
from app.staff.reach import Actor


def revoke_key(
    session: Session,
    actor: Actor,
    person_id: str,
    key_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Revoke one key of a person, for good."""
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    facts = _about_key(session, person_id, key_id)
    which = (SERVICE_KEY.c.id == key_id) & (SERVICE_KEY.c.person_id == person_id)
    if not revocation.end_keys(session.connection(), which, person_id, deed.by):
        raise GoneError
    deed.tell(MailKind.KEY_REVOKED, **facts)


def revoke_device(
    session: Session,
    actor: Actor,
    person_id: str,
    device_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Revoke a device with its keys and its client's sessions; its owner can let it back in."""
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    if not revocation.end_device(session.connection(), person_id, device_id, deed.by):
        raise GoneError
    deed.tell(MailKind.DEVICE_REVOKED, device=device_name(session, device_id))


def rotate_key(
    session: Session,
    actor: Actor,
    person_id: str,
    key_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Have a key replaced at its device's next report; asking twice is as good as once."""
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    connection = session.connection()
    by, why = deed.by.actor, deed.by.detail
    if not wish_rotation(connection, person_id, key_id, now=now, actor=by, detail=why):
        raise GoneError
    deed.tell(MailKind.KEY_ROTATED, **_about_key(session, person_id, key_id))


def end_session(
    session: Session,
    actor: Actor,
    person_id: str,
    session_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """End one of the person's sessions, of a browser or of a client."""
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    by, why = deed.by.actor, deed.by.detail
    ended = sessions.end(
        session, session_id, person_id, by_session=None, now=now, actor=by, detail=why
    )
    if not ended:
        raise GoneError
    deed.tell(MailKind.SESSION_ENDED)


def end_activation(
    session: Session,
    actor: Actor,
    person_id: str,
    activation_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """End an activation that is open; one that led to keys is undone, as its owner could.

    Mail goes out where keys ended by it: what only waited, nobody misses.
    """
    deed = begin(session, actor, person_id, reason=reason, now=now, entropy=entropy)
    ended = revocation.end_activation(session.connection(), person_id, activation_id, deed.by)
    if ended is None:
        raise GoneError
    if ended:
        deed.tell(MailKind.KEY_REVOKED)


def device_name(session: Session, device_id: str) -> str:
    """Return what a device calls itself."""
    return session.scalar(select(Device.name).where(Device.id == device_id)) or ""


def _about_key(session: Session, person_id: str, key_id: str) -> dict[str, str]:
    """Return what a mail about a key says of it."""
    found = session.execute(
        select(Device.name, MailAccount.address, AccountService.service)
        .select_from(ServiceKey)
        .join(Device, Device.id == ServiceKey.device_id)
        .join(AccountService, AccountService.id == ServiceKey.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(ServiceKey.id == key_id, ServiceKey.person_id == person_id)
    ).first()
    if found is None:
        raise GoneError
    return {"device": found[0], "account": found[1], "service": found[2]}
