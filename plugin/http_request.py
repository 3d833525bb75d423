"""One HTTP request by package requests, which takes longer to import than to use.

`plugin.transport` imports this module when there is something to send.
"""

import ssl
import time
from pathlib import Path
from typing import Final

import requests
import urllib3

from plugin.http_answer import Answer, TransportError
from plugin.limits import MAX_ANSWER

# Constant, so that a service learns nothing about the device from it.
USER_AGENT: Final = "Handfast/1"


def request(
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
    ca_file: Path | None,
    give_up: float,
) -> Answer:
    """Return the whole answer by `give_up` (monotonic seconds), or raise TransportError."""
    try:
        return _request(method, url, body, headers, ca_file, give_up)
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
        ValueError,
    ) as error:
        raise TransportError(_why(error)) from error


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
