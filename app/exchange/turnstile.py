"""Who may come in, and whose turn it is.

A request first waits for its body, which is in its sender's hands, and then works, which is in
ours. Many may wait for bodies at once, but no address may take all the places; few work at once,
since on SQLite a second writer only makes both slower.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.addresses import sender
from protocol.errors import ErrorCode, RemoteProtocolError

# Start the listener with more threads than this (docs/deploying.md), so that health always answers.
MAX_READING: Final = 96
MAX_READING_FROM_ONE: Final = 24


class Turnstile:
    """Counts those who read, and hands out turns to work."""

    def __init__(self, *, workers: int) -> None:
        self._lock: Final = threading.Lock()
        self._reading: Final[Counter[str]] = Counter()
        self._turns: Final = threading.BoundedSemaphore(workers)

    @contextmanager
    def reading(self, address: str) -> Iterator[None]:
        """Hold a place for reading a body, or raise RemoteProtocolError(BUSY)."""
        whose = sender(address)
        with self._lock:
            if self._reading.total() >= MAX_READING or self._reading[whose] >= MAX_READING_FROM_ONE:
                raise RemoteProtocolError(ErrorCode.BUSY)
            self._reading[whose] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reading[whose] -= 1
                if not self._reading[whose]:
                    del self._reading[whose]

    @contextmanager
    def working(self) -> Iterator[None]:
        """Wait for a turn to work."""
        with self._turns:
            yield
