"""The command `handfast` on a terminal of its own, with somebody who reads it and types."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from io import FileIO

COMMAND = [sys.executable, "-m", "plugin"]


def on_terminal(
    typed: Sequence[tuple[str, str]],
    *arguments: str,
    env: Mapping[str, str],
    columns: int = 100,
) -> tuple[int, str]:
    """Run the command; type each answer when its question appears; return the end and the screen.

    `env` is the whole environment; it says where the program's source is.
    """
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (24, columns))
    running = subprocess.Popen(
        ["setsid", "--ctty", *COMMAND, *arguments],
        env=env,
        stdin=inside,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    with os.fdopen(terminal, "r+b", buffering=0) as screen:
        shown = _converse(screen, list(typed))
    return running.wait(timeout=10), shown


def _converse(screen: FileIO, answers: list[tuple[str, str]]) -> str:
    shown, begin, give_up = "", 0, time.monotonic() + 60
    while time.monotonic() < give_up:
        if select.select([screen], [], [], 0.1)[0]:
            try:
                shown += screen.read(4096).decode(errors="replace")
            except OSError:
                # Linux reports the end of a terminal as an I/O error.
                break
        if answers and answers[0][0] in shown[begin:]:
            begin = len(shown)
            screen.write(answers.pop(0)[1].encode() + b"\n")
    return shown
