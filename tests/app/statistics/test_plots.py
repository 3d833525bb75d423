"""Axes have round steps, nothing is drawn outside of its frame, and what is drawn is the value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.statistics.plots import MOST_TICKS, lengths, lines, steps


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (0, (0, 1)),
        (1, (0, 1)),
        (3, (0, 1, 2, 3)),
        (7, (0, 2, 4, 6, 8)),
        (10, (0, 5, 10)),
        (23, (0, 10, 20, 30)),
        (100, (0, 50, 100)),
        (1234, (0, 500, 1000, 1500)),
    ],
)
def test_an_axis_has_round_steps(most: int, expected: tuple[int, ...]) -> None:
    assert steps(most) == expected


@given(most=st.integers(0, 10**12))
def test_an_axis_reaches_its_largest_value_in_few_steps(most: int) -> None:
    axis = steps(most)
    assert axis[0] == 0
    assert axis[-1] >= most
    assert axis[-2] < max(most, 1)
    assert len(axis) <= MOST_TICKS + 1
    assert str(axis[1]).rstrip("0") in {"1", "2", "5"}


SERIES = st.integers(1, 60).flatmap(
    lambda count: st.lists(
        st.lists(st.integers(0, 10**7), min_size=count, max_size=count), min_size=1, max_size=4
    )
)


@given(series=SERIES)
def test_every_value_lies_where_the_axis_says(series: list[list[int]]) -> None:
    plot = lines(series, named=4)
    top = plot.ticks[-1].value
    for line, values in zip(plot.lines, series, strict=True):
        assert [mark.value for mark in line.marks] == values
        for mark in line.marks:
            assert 0 <= mark.x <= 100
            assert 0 <= mark.y <= 100
            assert (100 - mark.y) * top / 100 == pytest.approx(mark.value, abs=top / 10_000 + 1e-9)
    assert plot.named[-1] == len(series[0]) - 1
    assert len(plot.named) <= 4


@given(values=st.lists(st.integers(0, 10**9), max_size=12))
def test_bars_are_as_long_as_their_values(values: list[int]) -> None:
    drawn = lengths(values)
    assert all(0 <= length <= 100 for length in drawn)
    for length, value in zip(drawn, values, strict=True):
        assert length == pytest.approx(100 * value / (max(values) or 1), abs=0.01)
