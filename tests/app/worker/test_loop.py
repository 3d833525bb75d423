"""The worker's loop: no job keeps the others from theirs, it ends when asked, and twice is once."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from app.clock import MINUTE, FixedClock
from app.config import worker_config
from app.keystore.rings import WorkerKeys
from app.models import WorkerJob
from app.worker.here import Here
from app.worker.jobs import JOBS, Job
from app.worker.loop import AFTER_FAILURE, Loop
from tests.app.service_fixtures import Service


@pytest.fixture
def here(sqlite_service: Service) -> Here:
    """What the worker's jobs are given."""
    service = sqlite_service
    folder: Path = service.config.state_dir
    keys = WorkerKeys.open(service.provider, entropy=service.entropy, now=service.clock.now())
    config = worker_config({"HANDFAST_STATE_DIR": str(folder)})
    return Here(config, service.database, keys, service.clock, service.entropy)


def test_a_job_that_fails_stops_no_other(here: Here) -> None:
    done: list[str] = []

    def fail(_here: Here) -> bool:
        done.append("fails")
        raise ZeroDivisionError("a secret in an error's text")

    def work(_here: Here) -> bool:
        done.append("works")
        return True

    loop = Loop(here, (Job("fails", 0, fail), Job("works", 0, work)))
    loop.round()
    loop.round()

    # The one that failed rests, so that it does not spin.
    assert done == ["fails", "works", "works"]
    assert AFTER_FAILURE > 0


def test_a_job_rests_once_nothing_is_waiting(here: Here) -> None:
    left = [True, True, False]
    runs: list[bool] = []

    def work(_here: Here) -> bool:
        runs.append(left[len(runs)])
        return runs[-1]

    loop = Loop(here, (Job("works", 60, work),))
    for _ in range(6):
        loop.round()

    assert runs == left


def test_it_ends_after_the_job_under_way(here: Here) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work(_here: Here) -> bool:
        begun.set()
        assert go_on.wait(10)
        done.append("first")
        return True

    def never(_here: Here) -> bool:
        done.append("second")
        return True

    loop = Loop(here, (Job("first", 0, work), Job("second", 0, never)))
    thread = threading.Thread(target=loop.run)
    thread.start()
    assert begun.wait(10)
    loop.stop()
    go_on.set()
    thread.join(10)

    assert not thread.is_alive()
    # What was begun is done, and nothing else is begun.
    assert done == ["first"]


def test_it_ends_at_once_while_it_rests(here: Here) -> None:
    loop = Loop(here, (Job("rests", 3600, lambda _here: False),))
    thread = threading.Thread(target=loop.run)
    thread.start()
    time.sleep(0.1)
    loop.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_every_real_job_runs_where_nothing_is_to_do(here: Here) -> None:
    Loop(here).until_idle()
    names = [job.name for job in JOBS]
    assert len(names) == len(set(names))
    assert {"mail", "bounces", "audit", "sweep"} <= set(names)


def test_that_a_job_ran_is_noted_once_a_minute(here: Here) -> None:
    def work(_here: Here) -> bool:
        return True

    loop = Loop(here, (Job("works", 0, work),))
    first = here.clock.now()
    for _ in range(3):
        loop.round()
        cast("FixedClock", here.clock).advance(20_000_000)
    assert noted(here) == [("works", first, False)]
    loop.round()
    assert noted(here) == [("works", first + MINUTE, False)]


def test_that_a_job_failed_is_noted_at_once(here: Here) -> None:
    is_broken: list[bool] = []

    def work(_here: Here) -> bool:
        if is_broken:
            raise ZeroDivisionError
        return True

    loop = Loop(here, (Job("works", 0, work),))
    loop.round()
    is_broken.append(True)
    loop.round()
    assert noted(here) == [("works", here.clock.now(), True)]


def noted(here: Here) -> list[tuple[str, int, bool]]:
    """Return what the worker says of itself."""
    with here.database.read() as session:
        return [
            (row.name, row.ran_at, row.has_failed) for row in session.scalars(select(WorkerJob))
        ]
