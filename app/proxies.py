"""X-Forwarded-* headers count only from a configured proxy; from others they are removed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED: Final = ("FOR", "PROTO", "HOST", "PORT", "PREFIX", "SERVER")


class TrustedProxies:
    """WSGI middleware: the client's address, scheme and host as the nearest proxies tell them."""

    def __init__(self, application: WSGIApplication, trusted: Sequence[str]) -> None:
        self._application = application
        self._trusted = tuple(ipaddress.ip_network(each) for each in trusted)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Rewrite what the application sees of the connection."""
        told = {name: environ.pop(f"HTTP_X_FORWARDED_{name}", "") for name in FORWARDED}
        environ.pop("HTTP_FORWARDED", None)
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            self._believe(environ, told)
        return self._application(environ, start_response)

    def _believe(self, environ: dict[str, Any], told: dict[str, str]) -> None:
        hops = [hop.strip() for hop in told["FOR"].split(",") if hop.strip()]
        # From the right: the first hop that is no proxy of ours is the client.
        for hop in reversed(hops):
            if not is_address(hop):
                break
            environ["REMOTE_ADDR"] = hop
            if not self._is_trusted(hop):
                break
        if told["PROTO"] in {"http", "https"}:
            environ["wsgi.url_scheme"] = told["PROTO"]
        if told["HOST"]:
            environ["HTTP_HOST"] = told["HOST"]

    def _is_trusted(self, address: str) -> bool:
        return is_address(address) and any(
            ipaddress.ip_address(address) in network for network in self._trusted
        )


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
