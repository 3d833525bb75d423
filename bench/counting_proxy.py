"""A TCP proxy that counts what passes: bytes each way, and how often an answer was waited for."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

CHUNK = 65_536
WAIT_SECONDS = 30


@dataclass
class Count:
    """Bytes of HTTP with its heads, and round trips; TCP's own handshakes are not in them."""

    sent: int = 0
    received: int = 0
    round_trips: int = 0

    @property
    def both(self) -> int:
        """Bytes both ways."""
        return self.sent + self.received


class CountingProxy:
    """Stands before a server on loopback; one connection at a time is enough for one device."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.backend = 0
        self.count = Count()
        self._lock = threading.Lock()

    def take(self) -> Count:
        """Return what was counted since the last call."""
        with self._lock:
            taken, self.count = self.count, Count()
        return taken

    def serve(self) -> None:
        """Relay until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                with client, suppress(OSError):
                    self._relay(client)

    def close(self) -> None:
        """End `serve`."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _relay(self, client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self.backend), WAIT_SECONDS) as server:
            asking = False
            while ready := select.select([client, server], [], [], WAIT_SECONDS)[0]:
                source = ready[0]
                data = source.recv(CHUNK)
                if not data:
                    return
                with self._lock:
                    self._add(source is client, len(data), turned=not asking)
                asking = source is client
                (server if asking else client).sendall(data)

    def _add(self, from_client: bool, length: int, *, turned: bool) -> None:
        if from_client:
            self.count.sent += length
            # A request in several pieces is still one.
            self.count.round_trips += turned
        else:
            self.count.received += length


@contextmanager
def counting_proxy() -> Iterator[CountingProxy]:
    """Run a proxy until the block ends."""
    proxy = CountingProxy()
    thread = threading.Thread(target=proxy.serve, name="counting proxy")
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()
