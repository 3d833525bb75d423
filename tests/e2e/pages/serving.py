"""The seeded portal over real TLS, and a browser in which Ann is signed in to it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import trustme
from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from protocol import media_type
from tests.app.pages.seeded import Seeded, bare_portal
from tests.app.service_fixtures import Owner

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Door:
    """What stands before the portal; the port is known first, since the issuer names it.

    Requests may be made to name our media type and a device, which the browser's extension does
    for real.
    """

    portal: Flask
    names_the_type = False
    names_the_device = ""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self.names_the_type and environ.get("HTTP_SEC_FETCH_MODE") == "navigate":
            environ["HTTP_ACCEPT"] = f"text/html, {media_type.ACTIVATION}"
            if self.names_the_device:
                environ["HTTP_HANDFAST_DEVICE"] = self.names_the_device
        return self.portal.wsgi_app(environ, start_response)


@dataclass
class Served:
    """The portal's address and the portal itself."""

    origin: str
    seeded: Seeded
    door: Door

    def sign_in(self, context: BrowserContext, owner: Owner | None = None) -> None:
        """Give the browser a session, of Ann's if nobody else is named."""
        token, _ = self.seeded.start_session(owner or self.seeded.ann)
        context.add_cookies(
            [{"name": "__Host-handfast", "value": token, "url": self.origin, "secure": True}]
        )


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path, authority: trustme.CA) -> Iterator[Served]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    application = Door()
    server = make_server(
        "127.0.0.1", 0, application, threaded=True, request_handler=_Quiet, ssl_context=context
    )
    origin = f"https://localhost:{server.server_port}"
    with _running(server), bare_portal(folder, issuer=origin) as seeded:
        application.portal = seeded.app
        yield Served(origin, seeded, application)


@contextmanager
def _running(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
