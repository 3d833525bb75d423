"""What the form "Activate this device" sends, and the bridge with it, read strictly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict

from app.models import ServiceName
from protocol.encoding import unb64u
from protocol.errors import RemoteProtocolError

FIELDS: Final = frozenset({"csrf_token", "account", "service", "ticket", "deliver"})
ID_BYTES: Final = 16
# What any database compares with its ids; PostgreSQL refuses to look at NUL, for one.
PLAIN_ID: Final = "[A-Za-z0-9_-]{1,64}"
JKT_BYTES: Final = 32


class FormError(Exception):
    """The form is not one of our pages'."""


@dataclass(frozen=True)
class Wanted:
    """Which services of which account, under which ticket, and whether as a document."""

    account_id: str
    services: tuple[ServiceName, ...]
    ticket: str
    as_document: bool


def read_wanted(untrusted: MultiDict[str, str]) -> Wanted:
    """Read the form, or raise FormError; no service at all is allowed here."""
    once = FIELDS - {"service"}
    if not set(untrusted) <= FIELDS or any(len(untrusted.getlist(name)) > 1 for name in once):
        raise FormError("unknown or repeated field")
    deliver = untrusted.get("deliver", "")
    if deliver not in {"", "document"}:
        raise FormError("deliver")
    asked = set(untrusted.getlist("service"))
    if not asked <= set(ServiceName):
        raise FormError("service")
    ticket = untrusted.get("ticket", "")
    if not is_public_id(ticket):
        raise FormError("ticket")
    account_id = untrusted.get("account", "")
    return Wanted(
        # One that is not of our making is simply not found; no database is asked about odd text.
        account_id=account_id if re.fullmatch(PLAIN_ID, account_id) else "",
        services=tuple(service for service in ServiceName if service in asked),
        ticket=ticket,
        as_document=deliver == "document",
    )


def read_device(untrusted: str | None) -> str | None:
    """Read which device asks, None where nobody says it; anything else raises FormError."""
    if untrusted is not None and not _is_bytes(untrusted, JKT_BYTES):
        raise FormError("device")
    return untrusted


def is_public_id(untrusted: str) -> bool:
    """Tell whether a text has the form of a public id or ticket."""
    return _is_bytes(untrusted, ID_BYTES)


def _is_bytes(untrusted: str, length: int) -> bool:
    try:
        unb64u(untrusted, length=length)
    except RemoteProtocolError:
        return False
    return True
