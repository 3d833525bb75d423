"""That a job ran is noted, so that monitors see whether the worker is there."""

from __future__ import annotations

from typing import Final

from app.clock import MINUTE
from app.database import DatabaseUnavailableError
from app.models import WorkerJob
from app.worker.here import Here

# A write per job and this long, not one per run.
EVERY: Final = MINUTE


class Notes:
    """Remembers what was noted last."""

    def __init__(self, here: Here) -> None:
        self._here: Final = here
        self._noted: dict[str, tuple[int, bool]] = {}

    def note(self, job: str, *, has_failed: bool) -> None:
        """Note that a job ran, unless that was done lately; a database that is away is no fault."""
        now = self._here.clock.now()
        before = self._noted.get(job)
        if before is not None and before[1] == has_failed and now - before[0] < EVERY:
            return
        try:
            with self._here.database.write() as session:
                session.merge(WorkerJob(name=job, ran_at=now, has_failed=has_failed))
        except DatabaseUnavailableError:
            return
        self._noted[job] = (now, has_failed)
