"""The exchange process sweeps by itself, at irregular intervals."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError

from app.activation.sweep import sweep
from app.database import DatabaseUnavailableError

if TYPE_CHECKING:
    from app.clock import Clock
    from app.database import Database

_LOG: Final = logging.getLogger(__name__)


class Sweeper:
    """A thread that sweeps, every ``interval`` seconds on average, until it is stopped."""

    def __init__(self, database: Database, clock: Clock, *, interval: float) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._interval: Final = interval
        self._stopping: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        """Start sweeping."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the sweep under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        # Several processes that start together should not sweep together.
        while not self._stopping.wait(self._interval * random.uniform(0.5, 1.5)):  # noqa: S311  # spread, not secrecy
            try:
                sweep(self._database, self._clock)
            except (DatabaseUnavailableError, SQLAlchemyError) as error:
                # Whatever it was, the next sweep comes; the text of an error may hold values.
                _LOG.warning("sweep put off: %s", type(error).__name__)
