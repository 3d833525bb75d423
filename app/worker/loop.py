"""The worker's loop: every job in its turn, and none that keeps the others from theirs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Final

from app.worker.here import Here
from app.worker.jobs import JOBS, Job
from app.worker.noting import Notes

MOST_WAIT: Final = 1.0
AFTER_FAILURE: Final = 10.0
_LOG: Final = logging.getLogger(__name__)


class Loop:
    """Runs the jobs until it is stopped, each again as soon as it rested."""

    def __init__(self, here: Here, jobs: Sequence[Job] = JOBS) -> None:
        self._here: Final = here
        self._notes: Final = Notes(here)
        self._jobs: Final = tuple(jobs)
        self._due: Final = {job.name: 0.0 for job in jobs}
        self._stopping: Final = threading.Event()

    def run(self) -> None:
        """Work until ``stop`` is called from a signal or another thread."""
        while not self._stopping.is_set():
            self.round()
            wait = min(self._due.values(), default=MOST_WAIT) - time.monotonic()
            self._stopping.wait(max(0.0, min(wait, MOST_WAIT)))

    def round(self) -> None:
        """Run every job once that is due."""
        for job in self._jobs:
            if not self._stopping.is_set() and self._due[job.name] <= time.monotonic():
                self._due[job.name] = time.monotonic() + self._run(job)

    def until_idle(self) -> None:
        """Run every job until none has anything waiting."""
        waiting = True
        while waiting:
            # Not any() over a generator, which would leave the later jobs out.
            waiting = bool(sum(job.run(self._here) for job in self._jobs))

    def stop(self) -> None:
        """End after the job under way."""
        self._stopping.set()

    def _run(self, job: Job) -> float:
        """Run a job and return how long it rests."""
        try:
            rest = 0.0 if job.run(self._here) else job.rest
        # One job that fails, for whatever reason, must not keep the others from theirs.
        except Exception as error:
            # The text of an error may hold values that belong in no log.
            _LOG.warning("job %s put off: %s", job.name, type(error).__name__)
            self._notes.note(job.name, has_failed=True)
            return AFTER_FAILURE
        self._notes.note(job.name, has_failed=False)
        return rest
