"""The device's network address, as it is shown to the owner."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

UNKNOWN = "unknown"


def client_address(trusted_proxies: tuple[str, ...]) -> Callable[[WSGIEnvironment], str]:
    """Return a reader that believes X-Forwarded-For from the named proxies only."""
    networks = [ipaddress.ip_network(text) for text in trusted_proxies]

    def is_trusted(address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in networks)

    def read(environ: WSGIEnvironment) -> str:
        address = environ.get("REMOTE_ADDR", "")
        hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        # From the near end: the first hop that is no proxy of ours is all that can be believed.
        while hops and is_trusted(address):
            address = hops.pop()
        parsed = _parsed(address)
        return UNKNOWN if parsed is None else str(parsed)

    return read


def _parsed(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
