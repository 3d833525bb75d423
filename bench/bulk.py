"""A list of 100,000 people beside lists of 1,000: the time per line, and how long others wait.

Both go the whole way: written down, checked, taken. The small lists take turns before and after
the large one. ``HANDFAST_BENCH_LINES`` asks for a shorter large one.
"""

import io
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app import schema
from app.bulk import services
from app.bulk.checking import check_some
from app.bulk.reading import read_list
from app.bulk.taking import Worker, take_one
from app.clock import SystemClock
from app.config import portal_config
from app.database import Database
from app.models import ImportState, Reach, Staff, StaffRole, StaffState, new_id
from app.rights import permissions_of
from app.staff.reach import Actor
from bench.report import Line, note

MANY: Final = 100_000
FEW: Final = 1_000
ROUNDS: Final = 5
GOAL: Final = 1.3


@dataclass(frozen=True)
class Taken:
    """How long the steps of one list took: seconds of this process's work, but for the wait."""

    lines: int
    written: float
    checked: float
    taken: float
    # Seconds on the wall from the first row to the commit: SQLite's only writer is held so long.
    held: float

    @property
    def per_line(self) -> float:
        """Microseconds of work for one line."""
        return (self.written + self.checked + self.taken) / self.lines * 1e6


def measure() -> Iterator[Line]:
    """Take small lists, a large one, and small ones again."""
    many = int(os.environ.get("HANDFAST_BENCH_LINES", MANY))
    with tempfile.TemporaryDirectory() as folder:
        config = portal_config({"HANDFAST_STATE_DIR": folder})
        database = Database(config.database_url)
        schema.upgrade(database)
        worker = Worker(database, config, SystemClock(), os.urandom)
        actor = _hire(database)
        small = [_go(worker, actor, FEW) for _ in range(ROUNDS)]
        large = _go(worker, actor, many)
        small += [_go(worker, actor, FEW) for _ in range(ROUNDS)]
        size = Path(folder, "handfast.sqlite3").stat().st_size
        database.dispose()
    one = statistics.median(each.per_line for each in small)
    note(
        f"{many:,} lines: written down in {large.written:.1f} s, checked in {large.checked:.1f} s, "
        f"taken in {large.taken:.1f} s; the database has {size / 1e6:.0f} MB then"
    )
    note(
        f"others wait {large.held:.1f} s for SQLite's writer, for {FEW:,} lines "
        f"{statistics.median(each.held for each in small):.2f} s"
    )
    ratio = large.per_line / one
    yield Line(
        f"one line of {many:,}",
        f"{large.per_line:.0f} µs, {ratio:.2f} times as much",
        f"one line of {FEW:,}: {one:.0f} µs",
        f"at most {GOAL} times",
        ratio <= GOAL,
    )


def _go(worker: Worker, actor: Actor, lines: int) -> Taken:
    """Take one list of people whom nobody invited before."""
    word = os.urandom(4).hex()
    text = "address,name\n" + "".join(
        f"first.last{number}@{word}.example,First{number % 997} Last{number % 4999}\n"
        for number in range(lines)
    )
    began = time.process_time()
    with worker.database.write() as session:
        job_id = services.make(
            session,
            actor,
            read_list(io.BytesIO(text.encode())),
            reason="a benchmark",
            now=worker.clock.now(),
            entropy=worker.entropy,
        )
    written = time.process_time()
    while check_some(worker.database, worker.clock):
        pass
    checked = time.process_time()
    with worker.database.write() as session:
        services.take(session, actor, job_id, now=worker.clock.now())
    held = _held(worker)
    taken = time.process_time()
    with worker.database.read() as session:
        job = services.find(session, actor, job_id)
    assert job is not None
    assert job.state == ImportState.DONE
    return Taken(lines, written - began, checked - written, taken - checked, held)


def _held(worker: Worker) -> float:
    """Take what waits; return how long the last transaction lasted, as the log says it."""
    told: list[float] = []
    log, handler = logging.getLogger("app.bulk.taking"), logging.Handler()
    handler.emit = lambda record: told.append(record.args[1])  # type: ignore[method-assign,index,arg-type]  # the arguments as they are logged
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    while take_one(worker):
        pass
    log.removeHandler(handler)
    return float(told[-1])


def _hire(database: Database) -> Actor:
    staff_id, role = new_id(os.urandom), StaffRole.ADMINISTRATOR
    with database.write() as session:
        session.add(
            Staff(
                id=staff_id,
                login="ada",
                name="Ada",
                role=role,
                reach=Reach.EVERYONE,
                state=StaffState.ACTIVE,
                created_at=0,
            )
        )
    permissions = permissions_of(role)
    return Actor(f"staff:{staff_id}", permissions, Reach.EVERYONE, staff_id, role)
