"""A proxy in front of a service: it keeps what passed, and spoils what a test asks for.

With certificates it speaks TLS on both sides, so that it knows the messages of a portal too.
"""

import contextlib
import itertools
import random
import select
import socket
import ssl
import struct
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum, auto
from pathlib import Path

WAIT_SECONDS = 60
SLOW_SECONDS = 1.5
DRIP_BYTES = 200
DRIP_SECONDS = 0.05


class Fault(StrEnum):
    """What may happen to one request or its answer.

    REFUSED loses the request, LOST_ANSWER the answer. DOUBLED sends the request twice at once,
    REPEATED once more after the next one: an old packet that comes late.
    """

    REFUSED = auto()
    HALF_REQUEST = auto()
    LOST_ANSWER = auto()
    HALF_ANSWER = auto()
    CUT_ANSWER = auto()
    DOUBLED = auto()
    REPEATED = auto()
    SLOW = auto()
    DRIPPED = auto()
    NARROW = auto()
    STALLED = auto()


# What the same command survives, each of them within a few seconds.
PASSING = tuple(fault for fault in Fault if fault is not Fault.STALLED)


@dataclass(frozen=True)
class Tls:
    """What the proxy shows to devices, and whom it believes behind itself."""

    chain: Path
    key: Path
    authority: Path

    def server(self) -> ssl.SSLContext:
        """For the side of the devices."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context

    def client(self) -> ssl.SSLContext:
        """For the side of the service."""
        return ssl.create_default_context(cafile=self.authority)


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

    def __init__(self, tls: Tls | None = None) -> None:
        self._server_tls = tls.server() if tls else None
        self._client_tls = tls.client() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.backend: int | None = None
        self._places: Iterator[int] | None = None
        self.passed: list[Passed] = []
        self._weather: random.Random | None = None
        self._chance = 0.0
        self._sources: Iterator[str] | None = None
        self._late: list[_Message] = []
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, name="fault-proxy")
        self._acceptor.start()

    def spoil(self, path: str, *faults: Fault) -> None:
        """Let these happen to the next requests for `path`, one each."""
        self._faults[path].extend(faults)

    def storm(self, seed: int, chance: float) -> None:
        """Spoil every request with this probability, the same way for the same seed."""
        self._weather, self._chance = random.Random(seed), chance  # noqa: S311 - no secret

    def roam(self) -> None:
        """Let every request come from another address than the one before."""
        self._sources = (
            f"127.0.{number // 250}.{number % 250 + 2}" for number in itertools.count()
        )

    def wander(self, *backends: int) -> None:
        """Let every request go to another one of these servers than the one before."""
        self._places = itertools.cycle(backends)

    def heal(self) -> None:
        """Spoil nothing more."""
        self._faults.clear()
        self._weather = self._sources = self._places = None
        self._late.clear()

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
            if self._server_tls:
                client = self._server_tls.wrap_socket(client, server_side=True)
            with client:
                request = _read_message(client)
                if request.whole:
                    self._pass_on(client, request, self._next_fault(request.path))

    def _next_fault(self, path: str) -> Fault | None:
        waiting, weather = self._faults[path], self._weather
        if waiting:
            return waiting.popleft()
        if weather is None or weather.random() >= self._chance:
            return None
        return weather.choice(PASSING)

    def _pass_on(self, client: socket.socket, request: "_Message", fault: Fault | None) -> None:
        if fault is Fault.REFUSED or self.backend is None:
            _reset(client)
            return
        late = [self._late.pop() for _message in list(self._late)]
        try:
            if fault is Fault.HALF_REQUEST:
                self._send_half(request)
                _reset(client)
                return
            if fault is Fault.DOUBLED:
                threading.Thread(target=self._again, args=(request,)).start()
            if fault is Fault.REPEATED:
                self._late.append(request)
            if fault is Fault.NARROW:
                time.sleep(len(request.raw) / DRIP_BYTES * DRIP_SECONDS)
            answer = self._ask(request)
        except OSError:
            # The service died: whoever waits for its answer sees the connection end.
            _reset(client)
            return
        for message in late:
            self._again(message)
        self._deliver(client, answer.raw, fault)

    def _again(self, request: "_Message") -> None:
        with contextlib.suppress(OSError):
            self._ask(request)

    def _connect(self) -> socket.socket:
        source = (next(self._sources), 0) if self._sources else None
        port = next(self._places) if self._places else self.backend
        if port is None:
            raise ConnectionRefusedError("there is no service")
        service = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS, source)
        if self._client_tls:
            return self._client_tls.wrap_socket(service, server_hostname="localhost")
        return service

    def _send_half(self, request: "_Message") -> None:
        with self._connect() as service:
            service.sendall(request.raw[: len(request.head) + len(request.body) // 2])

    def _ask(self, request: "_Message") -> "_Message":
        with self._connect() as service:
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
            case Fault.CUT_ANSWER:
                # One byte is missing: what is complete must be told by its length.
                client.sendall(answer[:-1])
                _reset(client)
            case Fault.STALLED:
                # Until the device has had enough, or the test has.
                while not self._closing.is_set() and not _has_left(client):
                    time.sleep(0.05)
            case Fault.SLOW:
                time.sleep(SLOW_SECONDS)
                client.sendall(answer)
            case Fault.DRIPPED | Fault.NARROW:
                for start in range(0, len(answer), DRIP_BYTES):
                    client.sendall(answer[start : start + DRIP_BYTES])
                    time.sleep(DRIP_SECONDS)
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


def _reset(connection: socket.socket) -> None:
    """End the connection as a machine does that knows nothing of it."""
    linger = struct.pack("ii", 1, 0)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()


def _has_left(connection: socket.socket) -> bool:
    # A device sends nothing after its request: what there is to read can only be the end.
    return bool(select.select([connection], [], [], 0)[0])


@contextmanager
def fault_proxy(tls: Tls | None = None) -> Iterator[FaultProxy]:
    """Run a proxy until the block ends."""
    proxy = FaultProxy(tls)
    try:
        yield proxy
    finally:
        proxy.close()
