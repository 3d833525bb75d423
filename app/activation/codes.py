"""Typed codes: made for a person's services, shown once, ended or used up; docs/protocol.md 15."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from app.accounts.ending_invitations import end_invitations
from app.activation.account_services import named_services
from app.activation.ending import By, kill, kill_told
from app.activation.status import RUN_LIFETIME
from app.audit import Act, record, record_own
from app.clock import SECOND, seconds
from app.database import DatabaseUnavailableError
from app.keystore.places import prs_place
from app.models import ActivationState, GrantState, InvitationState, new_id
from app.models.tables import (
    ACCOUNT_SERVICE,
    ACTIVATION,
    INVITATION,
    MAIL_ACCOUNT,
    PERSON,
    SERVICE_GRANT,
)
from protocol.codes import LIFETIME, Code, new_code
from protocol.key_schedule import code_prs

if TYPE_CHECKING:
    from app.config import Config
    from app.keystore.rings import PortalKeys

# A million handles, and only open codes count: a second try is rare already.
_TRIES: Final = 20


@dataclass(frozen=True)
class MadeCode:
    """A code for somebody to type: ``text`` is shown once and kept nowhere."""

    activation_id: str
    text: str = field(repr=False)
    # In microseconds.
    expires_at: int


def make_code(
    connection: Connection,
    *,
    person_id: str,
    account_service_ids: Sequence[str],
    made_by: str | None,
    now: int,
    entropy: Callable[[int], bytes],
    keys: PortalKeys,
    config: Config,
    detail: Mapping[str, str | int] | None = None,
) -> MadeCode:
    """Make a code in the caller's transaction, and end earlier ones for the same services.

    ``made_by`` is "staff:ID" or "token:ID", None for the person. Raises NotAllowedError.
    """
    connection.execute(select(PERSON.c.id).where(PERSON.c.id == person_id).with_for_update())
    services = named_services(
        connection, person_id=person_id, account_service_ids=account_service_ids, now=now
    )
    ids = [service.id for service in services]
    activation_id = new_id(entropy)
    earlier = _open_codes(connection, person_id, ids)
    kill(connection, earlier, reason="replaced", successor=activation_id)
    until = (seconds(now) + LIFETIME) * SECOND
    row = {
        "id": activation_id,
        "person_id": person_id,
        "ticket": new_id(entropy),
        "kind": "code",
        "made_by": made_by,
        "state": ActivationState.OPEN.value,
        "created_at": now,
        # A run that began in time may come to its end.
        "expires_at": until + RUN_LIFETIME,
        "document_expires_at": until,
        "attempts": 0,
    }
    code = _insert(connection, row, entropy=entropy, keys=keys, config=config)
    _insert_grants(connection, row, ids, entropy)
    facts = {**(detail or {}), "services": len(ids)}
    record_own(connection, Act.CODE_MADE, person_id, activation_id, now, made_by, detail=facts)
    return MadeCode(activation_id, code.text, until)


def end_code(
    connection: Connection,
    *,
    person_id: str,
    activation_id: str,
    now: int,
    actor: str | None = None,
    detail: Mapping[str, str | int] | None = None,
) -> bool:
    """End a code that is still open; False if there is none of this person's."""
    theirs = select(ACTIVATION.c.id).where(
        ACTIVATION.c.id == activation_id,
        ACTIVATION.c.person_id == person_id,
        ACTIVATION.c.handle.is_not(None),
    )
    if connection.execute(theirs).first() is None:
        return False
    by = By(now, actor, detail=detail or {})
    return bool(kill_told(connection, [activation_id], by, reason="revoked"))


def follow_use(connection: Connection, *, person_id: str, activation_id: str, now: int) -> None:
    """After a code led to keys: what waited for the same has come to its end.

    Activations that waited for a device are over, and an invitation is accepted: no mail server
    vouched for anything, so the account stays as it was, but somebody has come.
    """
    services = select(SERVICE_GRANT.c.account_service_id).where(
        SERVICE_GRANT.c.activation_id == activation_id
    )
    waiting = connection.execute(
        select(ACTIVATION.c.id)
        .distinct()
        .join(SERVICE_GRANT, SERVICE_GRANT.c.activation_id == ACTIVATION.c.id)
        .where(
            ACTIVATION.c.person_id == person_id,
            ACTIVATION.c.state == ActivationState.OPEN,
            ACTIVATION.c.kind == "document",
            ACTIVATION.c.document_expires_at.is_(None),
            SERVICE_GRANT.c.account_service_id.in_(services),
        )
    ).scalars()
    kill(connection, list(waiting), reason="replaced", successor=activation_id)
    addresses = (
        select(MAIL_ACCOUNT.c.address)
        .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.account_id == MAIL_ACCOUNT.c.id)
        .where(ACCOUNT_SERVICE.c.id.in_(services))
    )
    end_invitations(
        connection,
        # A new address of theirs that staff entered is another matter.
        (INVITATION.c.person_id == person_id) & INVITATION.c.address.in_(addresses),
        InvitationState.ACCEPTED,
        # Nobody has shown whose the address is.
        actor="system",
        now=now,
        detail={"with": "code"},
    )


def record_used_up(
    connection: Connection, *, person_id: str, activation_id: str, address: str, now: int
) -> None:
    """Tell the owner that the last run of a code has begun: nobody can begin another."""
    record(
        connection,
        at=now,
        actor="system",
        act=Act.CODE_BURNT,
        subject=person_id,
        target=activation_id,
        detail={"address": address},
    )


def _open_codes(connection: Connection, person_id: str, service_ids: Sequence[str]) -> list[str]:
    rows = connection.execute(
        select(ACTIVATION.c.id)
        .distinct()
        .join(SERVICE_GRANT, SERVICE_GRANT.c.activation_id == ACTIVATION.c.id)
        .where(
            ACTIVATION.c.person_id == person_id,
            ACTIVATION.c.state == ActivationState.OPEN,
            ACTIVATION.c.handle.is_not(None),
            SERVICE_GRANT.c.account_service_id.in_(service_ids),
        )
    )
    return list(rows.scalars())


def _insert(
    connection: Connection,
    row: Mapping[str, Any],
    *,
    entropy: Callable[[int], bytes],
    keys: PortalKeys,
    config: Config,
) -> Code:
    """Insert the activation under a handle that no open code has."""
    place, now = prs_place(row["id"]), row["created_at"]
    for _ in range(_TRIES):
        code = new_code(entropy=entropy)
        sealed = keys.grants.seal(code_prs(config.issuer, code.secret), place, now=now)
        try:
            with connection.begin_nested():
                named = {**row, "handle": code.handle, "prs_sealed": sealed}
                connection.execute(insert(ACTIVATION), named)
        except IntegrityError:
            continue
        return code
    raise DatabaseUnavailableError("no handle is free")


def _insert_grants(
    connection: Connection,
    row: Mapping[str, Any],
    service_ids: Sequence[str],
    entropy: Callable[[int], bytes],
) -> None:
    grants = [
        {
            "id": new_id(entropy),
            "account_service_id": service_id,
            "activation_id": row["id"],
            "position": position,
            "state": GrantState.ISSUED.value,
            "created_at": row["created_at"],
            "expires_at": row["expires_at"],
        }
        for position, service_id in enumerate(service_ids)
    ]
    connection.execute(insert(SERVICE_GRANT), grants)
