"""The benchmark runs and says what is met; how fast anything is, is not tested."""

import subprocess
import sys
from pathlib import Path

from app.models import Base
from bench import exchange, ordinary_models, people, wire

ROOT = Path(__file__).resolve().parents[1]


def test_the_exchange_is_compared_with_its_primitives_and_with_spake2() -> None:
    lines = list(exchange.measure(rounds=1, calls=1))
    assert [line.goal for line in lines].count("≤ 1.5 ×") == 2
    assert [line.goal for line in lines].count("≥ 20 × faster") == 3
    assert all(line.figure and line.compared_with for line in lines)


def test_activation_packet_and_rotation_take_the_fewest_round_trips() -> None:
    seen = list(wire.measure())
    assert [line.met for line in seen if line.what.startswith("round trips")] == [True] * 3
    assert len(seen) == 6


def test_the_pages_of_people_are_compared_whoever_they_are_for() -> None:
    lines = list(people.measure(count=1_200, rounds=1, pages=people.PAGES[:2]))
    assert len(lines) == 2 + len(people.CARE_PAGES)
    assert {line.goal for line in lines} == {"≤ 2 ×"}


def test_an_unknown_part_is_named_with_those_that_exist() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "everything"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 2
    assert "everything" in ended.stderr
    assert "exchange, http, browser" in ended.stderr


def test_the_ordinary_application_has_no_column_that_the_service_lacks() -> None:
    ours = Base.metadata.tables
    for table in ordinary_models.Base.metadata.tables.values():
        assert set(table.columns.keys()) <= set(ours[table.name].columns.keys()), table.name
