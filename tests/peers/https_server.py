"""An HTTPS server with a fixed answer per host and path, for configuration files."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.peers.ca import CertificateFiles
from tests.peers.scripted import server_context


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/xml"})


@dataclass
class RunningHttps:
    """The server's port, and every request it got, as "host path"."""

    port: int
    requests: list[str] = field(default_factory=list)
    # What was posted: headers in lower case, and the body.
    posted: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def https_server(
    answers: Mapping[str, Answer], certificate: CertificateFiles
) -> Iterator[RunningHttps]:
    """Serve these answers (by host and path) until the block ends; everything else is 404."""
    running = RunningHttps(0)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            running.posted.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.do_GET()

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            running.requests.append(f"{host}{self.path}")
            answer = answers.get(f"{host}{self.path}", Answer(status=404))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with _Server(("127.0.0.1", 0), Handler, server_context(certificate)) as server:
        running.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join(5)


class _Server(ThreadingHTTPServer):
    """Handshakes in the connection's own thread, and is silent about clients that leave."""

    daemon_threads = False

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(address, handler)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves early is what many tests are about."""
