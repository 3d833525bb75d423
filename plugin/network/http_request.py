"""One HTTP request by package requests, which takes longer to import than to use.

`plugin.network.transport` imports this module when there is something to send.
"""

import ssl
import time
from typing import Final

import requests
import urllib3

from plugin.network.http_answer import Answer, TransportError
from plugin.network.transport import Request

# Constant, so that a service learns nothing about the device from it.
USER_AGENT: Final = "Handfast/1"


def perform(request: Request, give_up: float) -> Answer:
    """Return the whole answer by `give_up` (monotonic seconds), or raise TransportError."""
    try:
        return _perform(request, give_up)
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        ValueError,
    ) as error:
        raise TransportError(_why(error)) from error


def _perform(request: Request, give_up: float) -> Answer:
    with requests.Session() as session:
        session.trust_env = False
        session.headers.clear()
        # `identity`: a compressed answer could unfold beyond the limit.
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "identity"})
        with session.request(
            request.method,
            request.url,
            data=request.body,
            headers=request.headers,
            timeout=max(0.1, give_up - time.monotonic()),
            allow_redirects=False,
            verify=str(request.ca_file) if request.ca_file else _system_authorities(),
            stream=True,
        ) as response:
            content_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
            return Answer(
                response.status_code,
                content_type.lower(),
                _body(response, give_up, request.largest),
                _seconds(response.headers.get("Retry-After", "")),
                response.headers.get("Link", ""),
            )


def _body(response: requests.Response, give_up: float, largest: int) -> bytes:
    received = b""
    while chunk := response.raw.read1(largest + 1 - len(received), decode_content=False):
        received += chunk
        if len(received) > largest:
            raise ValueError("the answer is too large")
        if time.monotonic() > give_up:
            raise ValueError("no whole answer in time")
    return received


def _seconds(untrusted: str) -> int | None:
    # The header may carry a date too; our portal never sends one.
    return int(untrusted) if untrusted.isascii() and untrusted.isdigit() else None


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
