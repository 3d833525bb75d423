"""The service's clock: UTC, in integer microseconds, always passed in."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final, Protocol

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


class Clock(Protocol):
    """Anything that tells the time; tests pass one that stands still."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01T00:00:00Z."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return microseconds since 1970-01-01T00:00:00Z."""
        return time.time_ns() // 1_000


class FixedClock:
    """A clock that moves only when told to."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        """Return the time it was set to."""
        return self._now

    def advance(self, microseconds: int) -> None:
        """Move the clock forward."""
        self._now += microseconds


def seconds(moment: int) -> int:
    """Turn the service's microseconds into the protocol's whole seconds, rounding down."""
    return moment // SECOND


def as_datetime(moment: int) -> datetime:
    """Turn microseconds into an aware datetime in UTC, for people to read."""
    return datetime.fromtimestamp(moment / SECOND, UTC)
