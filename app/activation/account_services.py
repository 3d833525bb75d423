"""The services of accounts: made once with their service UIDs, and whose they are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, bindparam, insert, select
from sqlalchemy.orm import Session

from app.models import GrantState, ServiceName, new_id
from app.models.tables import ACCOUNT_SERVICE, MAIL_ACCOUNT, PERSON, SERVICE_GRANT
from app.prepared import Prepared
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
    # The id of the oldest stocked grant, if there is one.
    stocked: str | None


_OLDEST_IN_STOCK: Final = (
    select(SERVICE_GRANT.c.id)
    .where(
        SERVICE_GRANT.c.account_service_id == ACCOUNT_SERVICE.c.id,
        SERVICE_GRANT.c.state == GrantState.STOCKED,
        SERVICE_GRANT.c.expires_at > bindparam("now"),
    )
    .order_by(SERVICE_GRANT.c.expires_at, SERVICE_GRANT.c.id)
    .limit(1)
    .scalar_subquery()
)
# All of a person's services: a handful, and one statement for any number of chosen ones.
_OF_PERSON: Final = Prepared(
    select(
        ACCOUNT_SERVICE.c.id,
        MAIL_ACCOUNT.c.address,
        ACCOUNT_SERVICE.c.service,
        ACCOUNT_SERVICE.c.service_uid,
        _OLDEST_IN_STOCK.label("stocked"),
    )
    .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
    .join(PERSON, PERSON.c.id == MAIL_ACCOUNT.c.person_id)
    # Nothing leads to a key for somebody who is disabled.
    .where(MAIL_ACCOUNT.c.person_id == bindparam("person_id"), PERSON.c.disabled_at.is_(None))
)


def ensure_services(
    where: Session | Connection,
    account_id: str,
    *,
    shard: int,
    now: int,
    entropy: Callable[[int], bytes],
    chosen: Collection[str] = tuple(ServiceName),
) -> None:
    """Give a mail account the chosen services, each with a service UID; safe to repeat.

    Who comes by themselves has all of them. What an account has beside the chosen ones stays.
    """
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
        if service in chosen and service not in present
    ]
    if rows:
        where.execute(insert(ACCOUNT_SERVICE), rows)


def named_services(
    connection: Connection, *, person_id: str, account_service_ids: Sequence[str], now: int
) -> tuple[NamedService, ...]:
    """Return the services in the order asked for, or raise NotAllowedError."""
    wanted = list(dict.fromkeys(account_service_ids))
    parameters = {"person_id": person_id, "now": now}
    found = {
        row.id: NamedService(row.id, row.address, row.service, row.service_uid, row.stocked)
        for row in _OF_PERSON.rows(connection, parameters)
    }
    if not wanted or not found.keys() >= set(wanted):
        raise NotAllowedError("no such account or service")
    return tuple(found[service_id] for service_id in wanted)
