"""The geometry of plots: whole numbers become places in percent, on axes with round steps.

Percent, since a page draws them in as much room as it has; what the places mean in words and in
which language is the page's affair.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_TICKS: Final = 4
# So many points of a line have marks of their own; more would touch each other.
MOST_MARKS: Final = 31
FACTORS: Final = (1, 2, 5, 10)


@dataclass(frozen=True)
class Tick:
    """A value that an axis names, and where it lies."""

    at: float
    value: int


@dataclass(frozen=True)
class Mark:
    """One value of a line, and where it lies."""

    x: float
    y: float
    value: int


@dataclass(frozen=True)
class Line:
    """One line: its values in order, and the points as SVG has them."""

    marks: tuple[Mark, ...]
    points: str


@dataclass(frozen=True)
class Lines:
    """Lines over one another in one frame; y is counted from the top."""

    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]
    has_marks: bool
    # The places of those values that the axis below names.
    named: tuple[int, ...]
    xs: tuple[float, ...]


def steps(most: int) -> tuple[int, ...]:
    """Return the values that an axis from 0 to ``most`` names: round and at most five."""
    step = _step(most)
    count = max(1, -(-most // step))
    return tuple(step * number for number in range(count + 1))


def lines(series: Sequence[Sequence[int]], *, named: int) -> Lines:
    """Lay out series of the same length; about ``named`` of their places get a name."""
    count = len(series[0]) if series else 0
    axis = steps(max((value for values in series for value in values), default=0))
    top = axis[-1]
    xs = tuple(_round(100 * (place + 0.5) / count) for place in range(count))
    return Lines(
        lines=tuple(_line(xs, values, top) for values in series),
        ticks=tuple(Tick(_round(100 - 100 * value / top), value) for value in axis),
        has_marks=count <= MOST_MARKS,
        named=_named(count, named),
        xs=xs,
    )


def lengths(values: Sequence[int]) -> tuple[float, ...]:
    """Return the lengths of bars: the longest fills its room, and 0 has none."""
    longest = max(values, default=0)
    return tuple(_round(100 * value / longest) if longest else 0.0 for value in values)


def _step(most: int) -> int:
    """Return the least step of 1, 2 or 5 times a power of ten that needs few enough ticks."""
    power = int(10 ** max(0, int(math.log10(max(most, 1))) - 1))
    return next(
        factor * power * scale
        for scale in (1, 10)
        for factor in FACTORS
        if factor * power * scale * MOST_TICKS >= most
    )


def _line(xs: Sequence[float], values: Sequence[int], top: int) -> Line:
    marks = tuple(
        Mark(x, _round(100 - 100 * value / top), value) for x, value in zip(xs, values, strict=True)
    )
    return Line(marks, " ".join(f"{mark.x:g},{mark.y:g}" for mark in marks))


def _named(count: int, most: int) -> tuple[int, ...]:
    """Return which places are named: the last one always, the others at the same distance."""
    if count == 0:
        return ()
    distance = -(-count // most)
    return tuple(sorted(range(count - 1, -1, -distance)))


def _round(percent: float) -> float:
    return round(percent, 2)
