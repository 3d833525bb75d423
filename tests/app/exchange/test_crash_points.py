"""Crash points are armed in tests only and are in the code once; tests/faults walks them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.crashpoints import EXIT_STATUS, POINTS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("testing", "code"), [("1", EXIT_STATUS), ("0", 0)])
def test_a_crash_point_is_armed_in_tests_only(testing: str, code: int) -> None:
    environment = {"HANDFAST_TESTING": testing, "HANDFAST_CRASH_AT": POINTS[0]}
    program = f"from app.crashpoints import crashpoint; crashpoint({POINTS[0]!r})"

    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        check=False,
    )

    assert ended.returncode == code


def test_every_point_is_in_the_code_once() -> None:
    sources = [path.read_text() for path in (ROOT / "app").rglob("*.py")]
    found = {name: sum(text.count(f'crashpoint("{name}")') for text in sources) for name in POINTS}
    assert found == dict.fromkeys(POINTS, 1)
