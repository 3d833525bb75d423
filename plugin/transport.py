"""HTTP as the device speaks it: no redirects, no proxies, small answers, one deadline."""

import queue
import threading
import time
from pathlib import Path

from plugin.http_answer import Answer, TransportError
from plugin.limits import ANSWER_DEADLINE
from protocol import media_type


class Transport:
    """Fetch from a portal over verified TLS; post to a key exchange service."""

    def __init__(self, *, deadline: float = ANSWER_DEADLINE) -> None:
        self._deadline = deadline

    def prepare(self) -> None:
        """Get ready while the person reads: nothing is sent and nothing is looked up."""
        threading.Thread(target=_prepare, daemon=True, name="handfast-prepare").start()

    def fetch(self, url: str, *, ca_file: Path | None = None, accept: str) -> Answer:
        """GET an https URL; `ca_file` replaces the system's authorities."""
        if not url.startswith("https://"):
            raise TransportError(f"{url} is not https")
        return self._send("GET", url, None, {"Accept": accept}, ca_file)

    def post(self, url: str, body: bytes, *, ca_file: Path | None = None) -> Answer:
        """POST one message of the exchange."""
        headers = {"Accept": media_type.EXCHANGE, "Content-Type": media_type.EXCHANGE}
        return self._send("POST", url, body, headers, ca_file)

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: dict[str, str],
        ca_file: Path | None,
    ) -> Answer:
        from plugin.http_request import request

        done: queue.SimpleQueue[Answer | TransportError] = queue.SimpleQueue()
        give_up = time.monotonic() + self._deadline

        def work() -> None:
            try:
                done.put(request(method, url, body, headers, ca_file, give_up))
            except TransportError as error:
                done.put(error)

        # A server that drips bytes renews every socket timeout, also inside the headers. Only a
        # clock outside of the reading code bounds the whole; the thread is left to its own end.
        threading.Thread(target=work, daemon=True, name="handfast-http").start()
        try:
            outcome = done.get(timeout=self._deadline)
        except queue.Empty:
            raise TransportError("no whole answer in time") from None
        if isinstance(outcome, TransportError):
            raise outcome
        return outcome


def _prepare() -> None:
    import plugin.http_request  # noqa: F401 - the import is the whole work
