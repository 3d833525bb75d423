"""Activation passwords made ahead of time, and used before new ones are made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, bindparam, insert, null, select, update

from app.audit import Act, record
from app.clock import DAY
from app.database import DatabaseUnavailableError
from app.keystore.places import password_place
from app.keystore.sealing import SealError
from app.models import GrantState, new_id
from app.models.tables import ACCOUNT_SERVICE, MAIL_ACCOUNT, SERVICE_GRANT
from app.prepared import Prepared

if TYPE_CHECKING:
    from app.database import Database
    from app.keystore.sealing import Sealer

STOCK_DAYS: Final = 90
PASSWORD_BYTES: Final = 32

_USE: Final = Prepared(
    update(SERVICE_GRANT)
    .where(
        SERVICE_GRANT.c.id == bindparam("grant_id"),
        SERVICE_GRANT.c.state == GrantState.STOCKED,
    )
    .values(
        state=GrantState.ISSUED,
        activation_id=bindparam("to_activation"),
        position=bindparam("at_position"),
        password_sealed=null(),
    )
)
_PASSWORD: Final = Prepared(
    select(SERVICE_GRANT.c.password_sealed).where(SERVICE_GRANT.c.id == bindparam("grant_id"))
)


def make_stock(
    database: Database,
    *,
    account_service_ids: Sequence[str],
    count: int,
    now: int,
    entropy: Callable[[int], bytes],
    sealer: Sealer,
    actor: str = "operator",
    reason: str = "",
) -> int:
    """Make ``count`` sealed passwords for each service, good for 90 days; return how many.

    ``sealer`` is the portal's `grants` sealer (``PortalKeys.grants``).
    """
    rows = stock_rows(account_service_ids, count, now=now, entropy=entropy, sealer=sealer)
    if not rows:
        return 0
    with database.write_connection() as connection:
        put_stock(connection, rows, now=now, actor=actor, reason=reason)
    return len(rows)


def stock_rows(
    account_service_ids: Sequence[str],
    count: int,
    *,
    now: int,
    entropy: Callable[[int], bytes],
    sealer: Sealer,
) -> list[dict[str, Any]]:
    """Return the rows of new passwords; sealing takes its time, and nobody waits for it here."""
    rows = []
    for service_id in account_service_ids:
        for _ in range(count):
            grant_id = new_id(entropy)
            sealed = sealer.seal(entropy(PASSWORD_BYTES), password_place(grant_id), now=now)
            rows.append(
                {
                    "id": grant_id,
                    "account_service_id": service_id,
                    "state": GrantState.STOCKED,
                    "password_sealed": sealed,
                    "created_at": now,
                    "expires_at": now + STOCK_DAYS * DAY,
                }
            )
    return rows


def put_stock(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    now: int,
    actor: str,
    reason: str = "",
) -> None:
    """Write them down in the caller's transaction, with an audit row for each service."""
    connection.execute(insert(SERVICE_GRANT), list(rows))
    counts = Counter(row["account_service_id"] for row in rows)
    _record_each(connection, counts, now=now, actor=actor, reason=reason)


def stocked_password(connection: Connection, grant_id: str, *, sealer: Sealer) -> bytes | None:
    """Return the password of a stocked grant, or None if its sealing key is gone.

    The caller holds the person's lock, so that nobody else uses the same one.
    """
    row = _PASSWORD.row(connection, {"grant_id": grant_id})
    if row is None or row.password_sealed is None:
        return None
    try:
        return sealer.open(row.password_sealed, password_place(grant_id))
    except SealError:
        return None


def use_stock(connection: Connection, grant_id: str, *, activation_id: str, position: int) -> None:
    """Turn a stocked grant into an issued one; its password leaves the database here."""
    parameters = {"grant_id": grant_id, "to_activation": activation_id, "at_position": position}
    if _USE.run(connection, parameters) != 1:
        raise DatabaseUnavailableError("the stock changed meanwhile")


def _record_each(
    connection: Connection, counts: Mapping[str, int], *, now: int, actor: str, reason: str
) -> None:
    owners = connection.execute(
        select(ACCOUNT_SERVICE.c.id, MAIL_ACCOUNT.c.person_id)
        .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
        .where(ACCOUNT_SERVICE.c.id.in_(list(counts)))
    ).all()
    for service_id, person_id in owners:
        record(
            connection,
            at=now,
            actor=actor,
            act=Act.STOCK_MADE,
            subject=person_id,
            target=service_id,
            detail={"count": counts[service_id], **({"reason": reason} if reason else {})},
        )
