"""What stands in a service book, from rows alone; who answers the device signs it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from app.clock import HOUR, MINUTE, seconds
from app.mailservers.providers import by_imap_host
from app.models import ServiceName, in_order
from app.models.tables import ACCOUNT_SERVICE, MAIL_ACCOUNT
from protocol.origin import is_host
from protocol.service_book import Role, Server, ServiceBook, Sync

# How often a device looks for news by itself.
SYNC_EVERY: Final[Mapping[str, int]] = {
    ServiceName.MAIL: 5 * MINUTE,
    ServiceName.CONTACTS: HOUR,
    ServiceName.CALENDAR: 15 * MINUTE,
}
# What a row needs for `book_of`; whoever has another reason to read the account adds them.
BOOK_COLUMNS: Final = (
    MAIL_ACCOUNT.c.address,
    MAIL_ACCOUNT.c.host,
    MAIL_ACCOUNT.c.port,
    MAIL_ACCOUNT.c.security,
    MAIL_ACCOUNT.c.username,
    MAIL_ACCOUNT.c.smtp_host,
    MAIL_ACCOUNT.c.smtp_port,
    MAIL_ACCOUNT.c.smtp_security,
    MAIL_ACCOUNT.c.settings_at,
    MAIL_ACCOUNT.c.created_at.label("added_at"),
    ACCOUNT_SERVICE.c.service,
    ACCOUNT_SERVICE.c.service_uid,
)


def books_of(connection: Connection, person_id: str, *, issuer: str) -> list[ServiceBook]:
    """Return the books of all services of a person's accounts, the oldest account first."""
    rows = connection.execute(
        select(*BOOK_COLUMNS)
        .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.account_id == MAIL_ACCOUNT.c.id)
        .where(MAIL_ACCOUNT.c.person_id == person_id)
        .order_by(MAIL_ACCOUNT.c.created_at, MAIL_ACCOUNT.c.id, in_order(ACCOUNT_SERVICE.c.service))
    )
    return [book_of(row, issuer=issuer) for row in rows]


def book_of(row: Any, *, issuer: str) -> ServiceBook:
    """Return the book of a row with BOOK_COLUMNS; the same settings make the same book."""
    provider = None if row.host is None else by_imap_host(row.host)
    return ServiceBook(
        iss=issuer,
        iat=seconds(row.settings_at or row.added_at),
        account=row.address,
        service=row.service,
        service_uid=row.service_uid,
        provider=None if provider is None else provider.name,
        servers=_mail_servers(row) if row.service == ServiceName.MAIL else (),
        sync=Sync(interval=seconds(SYNC_EVERY[row.service])),
    )


def _mail_servers(row: Any) -> tuple[Server, ...]:
    """Where mail is read and, if that is known, sent."""
    if row.host is None:
        # Nobody has signed in with it yet, so no server is known.
        return ()
    found = [_server("imap", row.host, row.port, row.security, row.username)]
    if row.smtp_host is not None:
        found.append(_server("smtp", row.smtp_host, row.smtp_port, row.smtp_security, row.username))
    return tuple(one for one in found if one is not None)


def _server(role: Role, host: str, port: int, security: str, username: str) -> Server | None:
    """One server, or None where a book has no way to write it: a device refuses the whole book."""
    written = f"[{host}]" if _is_ipv6(host) else host
    facts = {
        "role": role,
        "host": written,
        "port": port,
        "security": security,
        "username": username,
    }
    try:
        server = msgspec.convert(facts, Server)
    except msgspec.ValidationError:
        return None
    return server if is_host(written) else None


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
