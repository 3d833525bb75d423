"""HTTP as the device speaks it: no redirects, no proxies, small answers, one deadline."""

import queue
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
import urllib3

from plugin.limits import ANSWER_DEADLINE, MAX_ANSWER
from protocol import media_type

# Constant, so that a service learns nothing about the device from it.
USER_AGENT: Final = "Handfast/1"


class TransportError(Exception):
    """No whole answer arrived: refused, cut, too slow, too large or not verified."""


@dataclass(frozen=True)
class Answer:
    """One untrusted HTTP answer."""

    status: int
    media_type: str
    untrusted_body: bytes


class Transport:
    """Fetch from a portal over verified TLS; post to a key exchange service."""

    def __init__(self, *, deadline: float = ANSWER_DEADLINE) -> None:
        self._deadline = deadline

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
        done: queue.SimpleQueue[Answer | TransportError] = queue.SimpleQueue()
        give_up = time.monotonic() + self._deadline

        def work() -> None:
            try:
                done.put(_request(method, url, body, headers, ca_file, give_up))
            except (
                requests.RequestException,
                urllib3.exceptions.HTTPError,
                OSError,
                ValueError,
            ) as error:
                done.put(TransportError(_why(error)))

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


def _request(
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
    ca_file: Path | None,
    give_up: float,
) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.clear()
        # `identity`: a compressed answer could unfold beyond the limit.
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        with session.request(
            method,
            url,
            data=body,
            headers=headers,
            timeout=max(0.1, give_up - time.monotonic()),
            allow_redirects=False,
            verify=str(ca_file) if ca_file else _system_authorities(),
            stream=True,
        ) as response:
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
            return Answer(response.status_code, content_type.lower(), _body(response, give_up))


def _body(response: requests.Response, give_up: float) -> bytes:
    received = b""
    while chunk := response.raw.read1(MAX_ANSWER + 1 - len(received), decode_content=False):
        received += chunk
        if len(received) > MAX_ANSWER:
            raise ValueError("the answer is too large")
        if time.monotonic() > give_up:
            raise ValueError("no whole answer in time")
    return received


def _system_authorities() -> str | bool:
    # What the person or administrator added to the system counts, not a list packed with a library.
    paths = ssl.get_default_verify_paths()
    return paths.cafile or paths.capath or True


def _why(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate could not be verified"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    if isinstance(error, requests.exceptions.Timeout):
        return "no whole answer in time"
    return str(error) or type(error).__name__
