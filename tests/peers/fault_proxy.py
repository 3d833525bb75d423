"""A TCP proxy in front of a service: it keeps what passed, and spoils what a test asks for."""

import contextlib
import socket
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, auto

WAIT_SECONDS = 60
SLOW_SECONDS = 1.5
DRIP_BYTES = 200


class Fault(StrEnum):
    """What may happen to one request or its answer."""

    REFUSED = auto()
    HALF_REQUEST = auto()
    LOST_ANSWER = auto()
    HALF_ANSWER = auto()
    DOUBLED = auto()
    SLOW = auto()
    DRIPPED = auto()
    STALLED = auto()


@dataclass(frozen=True)
class Passed:
    """One request that the service answered, whether or not anybody got the answer."""

    path: str
    body: bytes
    status: int
    head: bytes
    answer: bytes


class FaultProxy:
    """Listens on one port for as long as it lives; the service behind it may come and go."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.backend: int | None = None
        self.passed: list[Passed] = []
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="fault-proxy")
        self._acceptor.start()

    def spoil(self, path: str, *faults: Fault) -> None:
        """Let these happen to the next requests for `path`, one each."""
        self._faults[path].extend(faults)

    def heal(self) -> None:
        """Spoil nothing more."""
        self._faults.clear()

    def count(self, path: str, fault: Fault) -> int:
        """How many of these are still to come."""
        return self._faults[path].count(fault)

    def close(self) -> None:
        """End every thread and give the port back."""
        self._closing.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            pass
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def _accept(self) -> None:
        while True:
            client, _address = self._listener.accept()
            if self._closing.is_set():
                client.close()
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            thread.start()
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]

    def _serve(self, client: socket.socket) -> None:
        # Either side may go away at any moment: that is what this proxy is for.
        with contextlib.suppress(OSError), client:
            client.settimeout(WAIT_SECONDS)
            request = _read_message(client)
            if not request.whole:
                return
            waiting = self._faults[request.path]
            fault = waiting.popleft() if waiting else None
            self._pass_on(client, request, fault)

    def _pass_on(self, client: socket.socket, request: "_Message", fault: Fault | None) -> None:
        backend = self.backend
        if fault is Fault.REFUSED or backend is None:
            _reset(client)
            return
        if fault is Fault.HALF_REQUEST:
            _send_half(request, backend)
            _reset(client)
            return
        if fault is Fault.DOUBLED:
            threading.Thread(target=self._again, args=(request, backend)).start()
        try:
            answer = self._ask(request, backend)
        except OSError:
            # The service died: whoever waits for its answer sees the connection end.
            _reset(client)
            return
        self._deliver(client, answer.raw, fault)

    def _again(self, request: "_Message", backend: int) -> None:
        with contextlib.suppress(OSError):
            self._ask(request, backend)

    def _ask(self, request: "_Message", backend: int) -> "_Message":
        with socket.create_connection(("127.0.0.1", backend), WAIT_SECONDS) as service:
            service.sendall(request.raw)
            answer = _read_message(service)
        if not answer.whole:
            raise ConnectionResetError("the service did not answer")
        self.passed.append(
            Passed(request.path, request.body, answer.status, answer.head, answer.body)
        )
        return answer

    def _deliver(self, client: socket.socket, answer: bytes, fault: Fault | None) -> None:
        match fault:
            case Fault.LOST_ANSWER:
                _reset(client)
            case Fault.HALF_ANSWER:
                client.sendall(answer[: len(answer) // 2])
                _reset(client)
            case Fault.STALLED:
                # Until the device has had enough, or the test has.
                while not self._closing.is_set() and not _has_left(client):
                    time.sleep(0.05)
            case Fault.SLOW:
                time.sleep(SLOW_SECONDS)
                client.sendall(answer)
            case Fault.DRIPPED:
                for start in range(0, len(answer), DRIP_BYTES):
                    client.sendall(answer[start : start + DRIP_BYTES])
                    time.sleep(0.05)
            case _:
                client.sendall(answer)


@dataclass(frozen=True)
class _Message:
    """One HTTP request or answer, as it was on the wire."""

    head: bytes
    body: bytes
    whole: bool

    @property
    def raw(self) -> bytes:
        return self.head + self.body

    @property
    def path(self) -> str:
        return self.head.split(b" ", 2)[1].decode("ascii")

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])


def header(head: bytes, name: str) -> str | None:
    """Return the value of a header, or None."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.strip().lower() == name.lower().encode():
            return value.strip().decode("ascii")
    return None


def _read_message(connection: socket.socket) -> _Message:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return _Message(received, b"", whole=False)
        received += more
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(header(head, "content-length") or 0)
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return _Message(head + b"\r\n\r\n", body, whole=len(body) == length)


def _send_half(request: _Message, backend: int) -> None:
    with socket.create_connection(("127.0.0.1", backend), WAIT_SECONDS) as service:
        service.sendall(request.raw[: len(request.head) + len(request.body) // 2])


def _reset(connection: socket.socket) -> None:
    """End the connection as a machine does that knows nothing of it."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


def _has_left(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(WAIT_SECONDS)


@contextmanager
def fault_proxy() -> Iterator[FaultProxy]:
    """Run a proxy until the block ends."""
    proxy = FaultProxy()
    try:
        yield proxy
    finally:
        proxy.close()
