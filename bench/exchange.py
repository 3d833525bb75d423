"""The exchange alone, in this process: each side against its primitives and against spake2.

Package spake2 does one Diffie-Hellman under a password and nothing else. Ours has a lattice key
exchange, two signatures, two confirmed and sealed messages around it; so the password's part is
compared with it alone as well.
"""

import os
from collections.abc import Iterator

from spake2 import SPAKE2_A, SPAKE2_B

from bench.primitives import BarePrimitives
from bench.report import Line
from bench.rounds import cpu_times
from bench.run_of_one import CONTEXT, RunOfOne
from protocol import cpace

ROUNDS = 31
CALLS = 25
OVERHEAD = 1.5
FASTER = 20


def measure(rounds: int = ROUNDS, calls: int = CALLS) -> Iterator[Line]:
    """Each side of one grant, in microseconds of CPU."""
    run, bare = RunOfOne(), BarePrimitives()
    other_side = SPAKE2_B(b"password").start()

    def spake2_side() -> None:
        side = SPAKE2_A(b"password")
        side.start()
        side.finish(other_side)

    channel, nonce, share = CONTEXT.channel(), os.urandom(32), run.init_share

    def cpace_side() -> None:
        scalar = os.urandom(32)
        ours = cpace.share(scalar, cpace.calculate_generator(run.prs, channel, nonce))
        k = cpace.agree(scalar, share)
        cpace.intermediate_key(nonce, k, (share, b""), (ours, b""))

    times = cpu_times(
        {
            "password part": (cpace_side, calls),
            "service": (run.service_side, calls),
            "bare service": (bare.service_side, calls),
            "device": (run.device_side, calls),
            "bare device": (bare.device_side, calls),
            "spake2": (spake2_side, 1),
        },
        rounds=rounds,
    )
    spake2 = times["spake2"]
    yield against_spake2("exchange, a side's password part", times["password part"], spake2)
    for side in ("service", "device"):
        yield against_primitives(side, times[side], times[f"bare {side}"])
        yield against_spake2(f"exchange, {side} side whole", times[side], spake2)


def against_primitives(side: str, ours: float, bare: float) -> Line:
    """How much the encodings, checks and objects add."""
    return Line(
        f"exchange, {side} side, per grant",
        f"{ours:.0f} µs CPU, {ours / bare:.2f} ×",
        f"the bare primitives it must do, {bare:.0f} µs",
        f"≤ {OVERHEAD} ×",
        ours / bare <= OVERHEAD,
    )


def against_spake2(what: str, ours: float, spake2: float) -> Line:
    """A well-known package for the same purpose, without a lattice and without signatures."""
    return Line(
        what,
        f"{ours:.0f} µs CPU, {spake2 / ours:.1f} × faster",
        f"package spake2, one side, {spake2:.0f} µs",
        f"≥ {FASTER} × faster",
        spake2 / ours >= FASTER,
    )
