"""HTTP as the device speaks it: no redirects, no proxies, small answers, one deadline."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from plugin.limits import ANSWER_DEADLINE, CALL_DEADLINE, MAX_ANSWER, MAX_CALL_ANSWER, STILL_WAITING
from plugin.network.http_answer import Answer, TransportError
from protocol import media_type

Waiting = Callable[[int], None]


@dataclass(frozen=True)
class Request:
    """What is sent; body and headers may hold secrets, so they are never shown."""

    method: str
    url: str
    body: bytes | None = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    ca_file: Path | None = None
    largest: int = MAX_ANSWER


class Transport:
    """Fetch from a portal over verified TLS; post to a key exchange service."""

    def __init__(self, *, deadline: float = ANSWER_DEADLINE) -> None:
        self._deadline = deadline

    def prepare(self) -> None:
        """Get ready while the person reads: nothing is sent and nothing is looked up."""
        threading.Thread(target=_prepare, daemon=True, name="handfast-prepare").start()

    def fetch(self, url: str, *, ca_file: Path | None = None, accept: str) -> Answer:
        """GET an https URL; `ca_file` replaces the system's authorities."""
        _insist_on_tls(url)
        request = Request("GET", url, None, {"Accept": accept}, ca_file)
        return _send(request, self._deadline)

    def post(self, url: str, body: bytes, *, ca_file: Path | None = None) -> Answer:
        """POST one message of the exchange."""
        headers = {"Accept": media_type.EXCHANGE, "Content-Type": media_type.EXCHANGE}
        return _send(Request("POST", url, body, headers, ca_file), self._deadline)

    def call(
        self,
        method: str,
        url: str,
        body: bytes | None,
        *,
        headers: dict[str, str],
        ca_file: Path | None,
        waiting: Waiting | None = None,
    ) -> Answer:
        """Call the interface for programs, which may have to ask mail servers before it answers.

        `waiting` is told every few seconds how many of them have gone.
        """
        _insist_on_tls(url)
        request = Request(method, url, body, headers, ca_file, MAX_CALL_ANSWER)
        return _send(request, CALL_DEADLINE, waiting)


def _insist_on_tls(url: str) -> None:
    if not url.startswith("https://"):
        raise TransportError(f"{url} is not https")


def _send(request: Request, deadline: float, waiting: Waiting | None = None) -> Answer:
    from plugin.network.http_request import perform

    done: queue.SimpleQueue[Answer | TransportError] = queue.SimpleQueue()
    began = time.monotonic()

    def work() -> None:
        try:
            done.put(perform(request, began + deadline))
        except TransportError as error:
            done.put(error)

    # A server that drips bytes renews every socket timeout, also inside the headers. Only a
    # clock outside of the reading code bounds the whole; the thread is left to its own end.
    threading.Thread(target=work, daemon=True, name="handfast-http").start()
    while (left := began + deadline - time.monotonic()) > 0:
        try:
            outcome = done.get(timeout=min(left, STILL_WAITING) if waiting else left)
        except queue.Empty:
            if waiting:
                waiting(round(time.monotonic() - began))
            continue
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome
    raise TransportError("no whole answer in time")


def _prepare() -> None:
    import plugin.network.http_request  # noqa: F401 - the import is the whole work
