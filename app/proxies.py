"""X-Forwarded-* headers count only from a configured proxy; from others they are removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from app import addresses

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORWARDED: Final = ("FOR", "PROTO", "HOST", "PORT", "PREFIX", "SERVER")


class TrustedProxies:
    """WSGI middleware: the client's address, scheme and host as the nearest proxies tell them."""

    def __init__(self, application: WSGIApplication, trusted: Sequence[str]) -> None:
        self._application = application
        self._proxies = addresses.Proxies(trusted)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Rewrite what the application sees of the connection."""
        told = {name: environ.pop(f"HTTP_X_FORWARDED_{name}", "") for name in FORWARDED}
        environ.pop("HTTP_FORWARDED", None)
        if self._proxies.trust(addresses.parse(environ.get("REMOTE_ADDR", ""))):
            self._believe(environ, told)
        return self._application(environ, start_response)

    def _believe(self, environ: dict[str, Any], told: dict[str, str]) -> None:
        client = self._proxies.client(environ["REMOTE_ADDR"], told["FOR"])
        if client is not None:
            environ["REMOTE_ADDR"] = str(client)
        if told["PROTO"] in {"http", "https"}:
            environ["wsgi.url_scheme"] = told["PROTO"]
        if told["HOST"]:
            environ["HTTP_HOST"] = told["HOST"]
