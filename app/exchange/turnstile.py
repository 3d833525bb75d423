"""Who may come in, and whose turn it is.

A request first waits for its body, which is in its sender's hands, and then works, which is in
ours. Many may wait for bodies at once, but no address may take all the places; few work at once,
since on SQLite a second writer only makes both slower.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.readers import NoPlaceError, Readers
from protocol.errors import ErrorCode, RemoteProtocolError


class Turnstile:
    """Lets requests in to read, and hands out turns to work."""

    def __init__(self, *, workers: int) -> None:
        self._readers: Final = Readers()
        self._turns: Final = threading.BoundedSemaphore(workers)

    @contextmanager
    def reading(self, address: str) -> Iterator[None]:
        """Hold a place for reading a body, or raise RemoteProtocolError(BUSY)."""
        try:
            with self._readers.reading(address):
                yield
        except NoPlaceError:
            raise RemoteProtocolError(ErrorCode.BUSY) from None

    @contextmanager
    def working(self) -> Iterator[None]:
        """Wait for a turn to work."""
        with self._turns:
            yield
