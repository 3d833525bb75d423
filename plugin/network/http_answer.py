"""What comes back from an HTTP request: an answer that nobody vouches for yet, or none."""

from dataclasses import dataclass, field


class TransportError(Exception):
    """No whole answer arrived: refused, cut, too slow, too large or not verified."""


@dataclass(frozen=True)
class Answer:
    """One untrusted HTTP answer; `retry_after` in seconds, where it says when to try again.

    `untrusted_link` is its Link header: where a list goes on.
    """

    status: int
    media_type: str
    # A portal's answer may carry what signs this device in.
    untrusted_body: bytes = field(repr=False)
    retry_after: int | None = None
    untrusted_link: str = ""
