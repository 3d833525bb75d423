"""The Tab key in the real shells: commands, options and choices, and nothing of the device."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.plugin.conftest import REPOSITORY, Run

PATIENCE_SECONDS = 20
SHELLS = ("bash", "zsh", "fish")
START = {
    "bash": ["bash", "--noprofile", "--rcfile", "{rc}", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "--private", "--init-command", "source {rc}"],
}
PREPARE = {
    "bash": "PS1='ready> '\n",
    "zsh": "PS1='ready> '\nautoload -Uz compinit && compinit -u\n",
    "fish": "function fish_prompt; echo 'ready> '; end\nfunction fish_greeting; end\n",
}
ESCAPES = re.compile(r"\x1b(\[[0-9;?>=]*[a-zA-Z]|[=>]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9])")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Put a command `handfast` into a folder of its own, as an installation does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "handfast"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPOSITORY}" exec "{sys.executable}" -P -m plugin "$@"\n'
    )
    program.chmod(0o755)
    return program


def typed(shell: str, line: str, rest: str, program: Path, tmp_path: Path, code: str) -> str:
    """Type a line and Tab into the shell; return what its screen shows until `rest` is there."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed here")
    rc = tmp_path / (".zshrc" if shell == "zsh" else "rc")
    rc.write_text(PREPARE[shell] + code)
    terminal, inside = pty.openpty()
    running = subprocess.Popen(
        ["setsid", "--ctty", *(part.format(rc=rc) for part in START[shell])],
        env={
            "PATH": f"{program.parent}:/usr/bin:/bin",
            "HOME": str(tmp_path),
            "ZDOTDIR": str(tmp_path),
            "HANDFAST_HOME": str(tmp_path / "home"),
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
        },
        cwd=tmp_path,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    try:
        _until(terminal, "ready>")
        os.write(terminal, line.encode())
        # Some shells grey out what they guess; only what comes after Tab counts.
        _until(terminal, line.split()[-1])
        os.write(terminal, b"\t")
        return _until(terminal, rest)
    finally:
        running.kill()
        running.wait()
        os.close(terminal)


def _until(terminal: int, wanted: str) -> str:
    shown, give_up = "", time.monotonic() + PATIENCE_SECONDS
    while wanted not in shown and time.monotonic() < give_up:
        shown += _read(terminal, 0.2)
    return shown


def _read(terminal: int, seconds: float) -> str:
    if not select.select([terminal], [], [], seconds)[0]:
        return ""
    return ESCAPES.sub("", os.read(terminal, 65536).decode(errors="replace"))


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("handfast devices rest", "handfast devices restore"),
        ("handfast keys --js", "handfast keys --json"),
        ("handfast activate --service cal", "handfast activate --service calendar"),
    ],
)
def test_tab_completes(
    shell: str, line: str, completed: str, program: Path, tmp_path: Path, handfast: Run
) -> None:
    code = handfast("completion", shell).stdout
    rest = completed.removeprefix(line)
    assert rest in typed(shell, line, rest, program, tmp_path, code)
    # Nothing was made, opened or asked for.
    assert not (tmp_path / "home").exists()


def test_the_command_completes_within_a_blink(program: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [str(program)],
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "_ARGCOMPLETE": "1",
            "COMP_LINE": "handfast dev",
            "COMP_POINT": "12",
            "_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "answer"),
        },
        check=False,
        capture_output=True,
    )
    assert done.stderr == b""
    assert (tmp_path / "answer").read_text().split() == ["devices"]
    assert time.monotonic() - began < 5
