"""Places for requests whose body is still under way, in the hands of its sender.

A thread waits with each of them, and no server lets go of one that sends a byte now and then. So
no sender may take all the places, and together they leave threads for everything else.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.addresses import sender

# Start listeners with more threads than this (docs/deploying.md), so that health always answers.
MAX_READING: Final = 96
MAX_READING_FROM_ONE: Final = 24


class NoPlaceError(Exception):
    """Too many bodies are under way, from this sender or from all of them."""


class Readers:
    """Counts the requests that wait for their bodies."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self._reading: Final[Counter[str]] = Counter()

    @contextmanager
    def reading(self, address: str) -> Iterator[None]:
        """Hold a place for reading a body, or raise NoPlaceError."""
        whose = sender(address)
        with self._lock:
            if self._reading.total() >= MAX_READING or self._reading[whose] >= MAX_READING_FROM_ONE:
                raise NoPlaceError
            self._reading[whose] += 1
        try:
            yield
        finally:
            with self._lock:
                self._reading[whose] -= 1
                if not self._reading[whose]:
                    del self._reading[whose]
