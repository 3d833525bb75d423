"""The services of accounts: made once with their service UIDs, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.orm import Session

from app.models import ServiceName, new_id
from app.models.tables import ACCOUNT_SERVICE, MAIL_ACCOUNT
from protocol import service_uid


class NotAllowedError(Exception):
    """The person has no such account or service: the same answer for missing and foreign."""


@dataclass(frozen=True)
class NamedService:
    """One service of one account, as a document names it."""

    id: str
    account: str
    service: str
    service_uid: str


_OF_PERSON: Final = (
    select(
        ACCOUNT_SERVICE.c.id,
        MAIL_ACCOUNT.c.address,
        ACCOUNT_SERVICE.c.service,
        ACCOUNT_SERVICE.c.service_uid,
    )
    .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
    .where(
        ACCOUNT_SERVICE.c.id.in_(bindparam("ids", expanding=True)),
        MAIL_ACCOUNT.c.person_id == bindparam("person_id"),
    )
)


def ensure_services(
    where: Session | Connection,
    account_id: str,
    *,
    shard: int,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Give a mail account its services, each with a service UID; safe to repeat."""
    present = set(
        where.execute(
            select(ACCOUNT_SERVICE.c.service).where(ACCOUNT_SERVICE.c.account_id == account_id)
        ).scalars()
    )
    rows = [
        {
            "id": new_id(entropy),
            "account_id": account_id,
            "service": service,
            "service_uid": service_uid.make(shard, entropy=entropy),
            "created_at": now,
        }
        for service in ServiceName
        if service not in present
    ]
    if rows:
        where.execute(insert(ACCOUNT_SERVICE), rows)


def named_services(
    connection: Connection, *, person_id: str, account_service_ids: Sequence[str]
) -> tuple[NamedService, ...]:
    """Return the services in the order asked for, or raise NotAllowedError."""
    wanted = list(dict.fromkeys(account_service_ids))
    found = {
        row.id: NamedService(row.id, row.address, row.service, row.service_uid)
        for row in connection.execute(_OF_PERSON, {"ids": wanted, "person_id": person_id})
    }
    if not wanted or len(found) != len(wanted):
        raise NotAllowedError("no such account or service")
    return tuple(found[service_id] for service_id in wanted)
