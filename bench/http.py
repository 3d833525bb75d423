"""Whole activations over HTTP: issue, init, confirm; each a durable commit before its answer."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import checked, load, servers, world
from bench.bound import least_work
from bench.report import Line, note

ROUNDS = 5
ACTIVATIONS = 240
WARM_UP = 48
PER_CORE_SECOND = 400
P99_MILLISECONDS = 40
TIMES_THE_ORDINARY = 3


@dataclass
class Shape:
    """A server with what was measured of it."""

    server: servers.Server
    rates: list[float] = field(default_factory=list)
    seen: load.Load = field(default_factory=load.Load)

    def round(self, activations: int) -> None:
        """Send one round of activations and count what they cost the server."""
        before = self.server.cpu_seconds()
        seen = load.run(self.server.port, self.server.world, activations)
        self.rates.append(seen.activations / (self.server.cpu_seconds() - before))
        self.seen.activations += seen.activations
        self.seen.latencies += seen.latencies

    @property
    def rate(self) -> float:
        """Activations per core-second, the median of the rounds."""
        return statistics.median(self.rates)


def measure(rounds: int = ROUNDS, activations: int = ACTIVATIONS) -> Iterator[Line]:
    """Ours, the ordinary shape and the bound, in turns."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handfast-bench-")))
        # One person for each: a second document of the same person would end the first.
        worlds = [world.build(folder / name, activations) for name in ("ours", "ordinary")]
        ours = Shape(stack.enter_context(servers.ours(worlds[0])))
        ordinary = Shape(stack.enter_context(servers.ordinary(worlds[1])))
        least = stack.enter_context(least_work(folder))
        for shape in (ours, ordinary):
            load.run(shape.server.port, shape.server.world, WARM_UP)
        bounds = []
        for _ in range(rounds):
            ours.round(activations)
            ordinary.round(activations)
            began = time.process_time()
            for _ in range(activations):
                least()
            bounds.append(activations / (time.process_time() - began))
    yield from lines(ours, ordinary, statistics.median(bounds))
    yield from checked.measure()


def lines(ours: Shape, ordinary: Shape, bound: float) -> Iterator[Line]:
    """The figures of both shapes side by side."""
    note(f"{load.CLIENTS} devices at once; SQLite, WAL, synchronous=FULL; no TLS, no mail check")
    yield Line(
        "whole activation over HTTP",
        f"{ours.rate:.0f} per core-second",
        f"its bound, bare primitives and three durable commits: {bound:.0f} "
        f"({ours.rate / bound:.0%} of it)",
        f"≥ {PER_CORE_SECOND} per core-second",
        ours.rate >= PER_CORE_SECOND,
    )
    p50, p99 = ours.seen.percentile(0.5), ours.seen.percentile(0.99)
    theirs = ordinary.seen.percentile(0.5), ordinary.seen.percentile(0.99)
    yield Line(
        "each of its requests",
        f"p99 {p99:.0f} ms (p50 {p50:.0f})",
        f"gunicorn gthread 16 + ORM: p99 {theirs[1]:.0f} ms (p50 {theirs[0]:.0f})",
        f"p99 < {P99_MILLISECONDS} ms",
        p99 < P99_MILLISECONDS,
    )
    yield Line(
        "whole activation over HTTP",
        f"{ours.rate / ordinary.rate:.1f} × as many per core-second",
        f"gunicorn gthread 16 + ORM: {ordinary.rate:.0f}",
        f"≥ {TIMES_THE_ORDINARY} ×",
        ours.rate >= TIMES_THE_ORDINARY * ordinary.rate,
    )
