"""Set-up where it may not help itself: it says what to install, and changes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def set_up(goal: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run set-up where only what lies in `path` can be found."""
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "setup.py"), goal],
        env={"PATH": str(path)},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("goal", ["demo", "test"])
def test_without_a_package_manager_it_names_what_is_missing(goal: str, tmp_path: Path) -> None:
    ran = set_up(goal, tmp_path)
    assert ran.returncode == 1
    assert "handfast: error: this machine lacks chromium" in ran.stderr
    assert "libnss3-tools" in ran.stderr
    assert ("xvfb" in ran.stderr) == (goal == "test")


def test_an_unknown_goal_is_refused(tmp_path: Path) -> None:
    ran = set_up("coffee", tmp_path)
    assert ran.returncode == 1
    assert "handfast: error: no such goal: coffee" in ran.stderr
