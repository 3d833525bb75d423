"""A portal of three pages over real TLS, for tests of the bridge alone."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from protocol.media_type import ACTIVATION

DOCUMENT_HEADERS = {
    "Content-Disposition": 'attachment; filename="activation.handfast"',
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGE = """<!doctype html><html lang="en"><title>Your account</title>
<main><h1>Your account</h1>
<form method="post" action="/activations" target="activation-frame">
<button>Activate this device</button></form>
<form method="post" action="/activations"><button>Activate in this tab</button></form>
<iframe name="activation-frame" title="activation" hidden></iframe><ol id="told"></ol></main>
<script src="/page.js"></script></html>"""
SCRIPT = """window.told = [];
document.addEventListener("handfast", (event) => {
  window.told.push(event.detail);
  const line = document.createElement("li");
  line.textContent = JSON.stringify(event.detail);
  document.getElementById("told").append(line);
});"""


@dataclass(frozen=True)
class Asked:
    """One request, and which device the browser said it was."""

    method: str
    path: str
    device: str | None


@dataclass
class SmallPortal:
    """What the portal answers with, and what it was asked."""

    origin: str
    make_document: Callable[[], bytes] = bytes
    media_type: str = ACTIVATION
    accepts: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    # Where a POST is sent on to, body and all, instead of being answered.
    sends_on_to: str = ""
    # A POST is noted and the page stays as it is.
    only_notes: bool = False


@contextmanager
def small_portal(authority: trustme.CA, host: str = "localhost") -> Iterator[SmallPortal]:
    """Serve on a free port of 127.0.0.1 until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    portal = SmallPortal(f"https://{host}:{server.server_port}")
    server.portal = portal  # type: ignore[attr-defined] # the standard library's own way to share
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield portal
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _portal(self) -> SmallPortal:
        portal: SmallPortal = self.server.portal  # type: ignore[attr-defined] # see small_portal
        return portal

    def do_GET(self) -> None:
        self._note()
        if self.path == "/page.js":
            self._answer(200, "text/javascript", SCRIPT.encode())
        elif self.path == "/activations":
            self._answer(200, "text/html", b"<!doctype html><title>Activations</title>")
        elif self.path == "/":
            self._answer(200, "text/html; charset=utf-8", PAGE.encode())
        else:
            self._answer(404, "text/plain", b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._note()
        self._portal.accepts.append(self.headers.get("Accept", ""))
        portal = self._portal
        if portal.sends_on_to:
            self._answer(307, "text/plain", b"", {"Location": portal.sends_on_to})
            return
        if portal.only_notes:
            self.send_response(204)
            self.end_headers()
            return
        self._answer(200, portal.media_type, portal.make_document(), DOCUMENT_HEADERS)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""

    def _note(self) -> None:
        asked = Asked(self.command, self.path, self.headers.get("Handfast-Device"))
        self._portal.asked.append(asked)

    def _answer(
        self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
