"""The manual page is made from the parser: it is up to date, whole, and man can show it."""

import subprocess
import sys

from plugin.__main__ import parser
from plugin.errors import ExitCode
from plugin.person.argument_parser import commands_of
from tests.plugin.conftest import REPOSITORY

PAGE = REPOSITORY / "docs/man/handfast.1"


def shown() -> "subprocess.CompletedProcess[str]":
    """Return what man shows on a terminal of eighty columns."""
    return subprocess.run(
        ["man", "--warnings", "--local-file", str(PAGE)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
    )


def test_it_is_what_the_parser_says_now() -> None:
    script = REPOSITORY / "scripts/manual_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], check=False)
    assert done.returncode == 0


def test_man_shows_it_without_a_warning() -> None:
    done = shown()
    assert done.stderr == ""
    assert "handfast - strong keys between" in " ".join(done.stdout.split())


def test_every_command_and_every_exit_status_is_in_it() -> None:
    text = shown().stdout
    for command in commands_of(parser()):
        assert f"   {command.prog}\n" in text
    for code in ExitCode:
        assert f"\n       {int(code)}  " in text
