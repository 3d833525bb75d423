"""Whether the portal can serve people, and whether what goes on beside it does.

*Not ready* means that a request would fail here: a load balancer should send it elsewhere. What
only the worker does can be late without that; then the portal is *degraded* and still serves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import schema
from app.clock import Clock
from app.database import Database, DatabaseUnavailableError
from app.keystore.provider import KeyStoreError
from app.metrics.health import read_health

# How old an answer may be: whoever asks often costs no more than this.
FRESH_SECONDS: Final = 5.0


class Status(StrEnum):
    """What a monitor is told."""

    READY = "ready"
    DEGRADED = "degraded"
    NOT_READY = "not-ready"


@dataclass(frozen=True)
class Report:
    """The status, and each check that led to it; the checks are for who may read metrics."""

    status: Status
    checks: Mapping[str, bool]


class Readiness:
    """Looks at everything, once in a few seconds at most."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        open_keys: Callable[[], object],
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database: Final = database
        self._clock: Final = clock
        self._open_keys: Final = open_keys
        self._monotonic: Final = monotonic
        self._lock: Final = threading.Lock()
        self._report: Report | None = None
        self._looked_at = 0.0
        self._is_current = False

    def report(self) -> Report:
        """Return how it is, or was a moment ago."""
        with self._lock:
            now = self._monotonic()
            if self._report is None or now - self._looked_at > FRESH_SECONDS:
                self._report, self._looked_at = self._look(), now
            return self._report

    def _look(self) -> Report:
        needed = {"database": False, "schema": False, "keys": self._has_keys()}
        beside = {"worker": False, "audit": False, "mail": False}
        try:
            needed["schema"] = self._has_schema()
            needed["database"] = True
            with self._database.read() as session:
                beside = _beside(session, self._clock.now())
        except (DatabaseUnavailableError, SQLAlchemyError):
            # What could not be looked at stays False.
            pass
        if not all(needed.values()):
            return Report(Status.NOT_READY, {**needed, **beside})
        status = Status.READY if all(beside.values()) else Status.DEGRADED
        return Report(status, {**needed, **beside})

    def _has_schema(self) -> bool:
        # A schema never becomes older while the portal runs.
        self._is_current = self._is_current or schema.is_current(self._database)
        with self._database.look_up() as connection:
            connection.exec_driver_sql("SELECT 1")
        return self._is_current

    def _has_keys(self) -> bool:
        try:
            self._open_keys()
        except KeyStoreError:
            return False
        return True


def _beside(session: Session, now: int) -> dict[str, bool]:
    health = read_health(session, now=now)
    return {
        "worker": health.is_worker_there,
        "audit": not health.is_audit_late,
        "mail": health.mail_standing_since is None,
    }
