"""What comes back from an HTTP request: an answer that nobody vouches for yet, or none."""

from dataclasses import dataclass


class TransportError(Exception):
    """No whole answer arrived: refused, cut, too slow, too large or not verified."""


@dataclass(frozen=True)
class Answer:
    """One untrusted HTTP answer."""

    status: int
    media_type: str
    untrusted_body: bytes
