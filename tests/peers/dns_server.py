"""A DNS server from a table of records: slow where asked to be, and able to change its mind."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dnslib import QTYPE, RCODE, RR, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSServer

Zone = Mapping[str, Sequence[str]]
"""Lines such as "A 127.0.0.1" by name; a line "A 192.0.2.1 then 127.0.0.1" answers in turn."""


@dataclass
class RunningDns:
    """The server's port, and every question it was asked, as "name TYPE"."""

    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def dns_server(zone: Zone, *, delay: float = 0.0) -> Iterator[RunningDns]:
    """Answer from this zone on a loopback UDP port until the block ends."""
    running = RunningDns()
    server = DNSServer(
        _Table(zone, delay, running.asked), address="127.0.0.1", port=0, logger=_Quiet()
    )
    running.port = server.server.server_address[1]
    thread = threading.Thread(target=server.server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield running
    finally:
        server.server.shutdown()
        thread.join(5)
        # A late answer still needs the socket.
        time.sleep(1.2 * delay)
        server.server.server_close()


class _Quiet:
    """A log that nobody reads."""

    def __getattr__(self, name: str) -> object:
        return lambda *_: None


class _Table(BaseResolver):  # type: ignore[misc]  # the library has no type information
    """Answers from the zone; a name that is not in it does not exist."""

    def __init__(self, zone: Zone, delay: float, asked: list[str]) -> None:
        self._zone = zone
        self._delay = delay
        self._asked = asked
        self._turns: dict[str, int] = {}
        self._lock = threading.Lock()

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """One reply."""
        del handler
        time.sleep(self._delay)
        reply = request.reply()
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        with self._lock:
            self._asked.append(f"{name} {kind}")
            if name not in self._zone:
                reply.header.rcode = RCODE.NXDOMAIN
            for line in self._zone.get(name, ()):
                record_type, _, data = line.partition(" ")
                if record_type == kind:
                    answer = self._turn(line, data.split(" then "))
                    reply.add_answer(*RR.fromZone(f"{name}. 0 {kind} {answer}"))
        return reply

    def _turn(self, line: str, answers: list[str]) -> str:
        turn = self._turns.get(line, 0)
        self._turns[line] = turn + 1
        return answers[min(turn, len(answers) - 1)]
