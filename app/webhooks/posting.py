"""One POST over verified HTTPS to an address that staff named: no redirect, no inner network.

The name is resolved once, every address of it is looked at, and the connection goes to one of
those: a name that changes its address in between gains nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from app.mailservers.causes import MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.network import HTTPS_PORT, Network, tls_context
from app.mailservers.stream import BoundedReader, start_tls

SECONDS: Final = 8.0
LONGEST_URL: Final = 500
# Of an answer only its first line is of interest.
_BUDGET: Final = 4_096
_LINE: Final = 256
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?\r?\n")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_PATH: Final = re.compile(r"[!$&'()*+,;=:@/?%A-Za-z0-9._~-]*")


class UrlError(Exception):
    """Not an address that may be told: https, a plain host, no user name, no fragment."""


class UnreachableError(Exception):
    """Nobody there answered in time, or nobody who may be asked; the text holds no secret."""


def check_url(untrusted: str) -> str:
    """Return the address if messages may be posted there, or raise UrlError.

    Where its host leads is looked at with every message, since that changes.
    """
    try:
        parts = urlsplit(untrusted)
        port = HTTPS_PORT if parts.port is None else parts.port
    except ValueError as error:
        raise UrlError from error
    host = _host(untrusted)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    is_plain = len(untrusted) <= LONGEST_URL and untrusted.isascii() and untrusted.isprintable()
    if not is_plain or parts.scheme != "https" or parts.fragment or "#" in untrusted:
        raise UrlError
    if not _HOST.fullmatch(host) or not _PATH.fullmatch(path) or not 0 < port < 65536:
        raise UrlError
    return untrusted


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, network: Network, seconds: float = SECONDS
) -> int:
    """Send it and return the answer's status, or raise UnreachableError."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or HTTPS_PORT
    deadline = Deadline(seconds)
    try:
        plain = replace(network, https_port=port).connect_https(host, deadline)
        with plain, deadline.watching(plain):
            secured = start_tls(plain, tls_context(network.ca_pem), host, deadline)
            with secured, deadline.watching(secured):
                secured.settimeout(deadline.remaining())
                secured.sendall(_request(url, body, headers))
                return _status(BoundedReader(secured, deadline, _BUDGET))
    except MailCheckError as error:
        raise UnreachableError(str(error.cause)) from error
    except (OSError, ValueError) as error:
        raise UnreachableError(type(error).__name__) from error


def _host(untrusted: str) -> str:
    """Return the host as it is written; empty where a user name stands before it."""
    rest = untrusted.partition("://")[2]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return ""
    host, _, port = authority.rpartition(":")
    return host if host and port.isdecimal() else authority


def _request(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"POST {target} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: Handfast",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _status(source: BoundedReader) -> int:
    found = _STATUS.fullmatch(io.BufferedReader(source, _LINE).readline(_LINE))
    if found is None:
        raise UnreachableError("no HTTP answer")
    return int(found[1])
