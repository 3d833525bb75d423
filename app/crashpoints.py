"""Named places where a test lets the process die, as if the power had gone."""

from __future__ import annotations

import os
from typing import Final, Literal, get_args

Point = Literal[
    "arrival.written",
    "arrival.committed",
    "issue.committed",
    "init.decoded",
    "init.computed",
    "init.committed",
    "init.answered",
    "confirm.opened",
    "confirm.computed",
    "confirm.committed",
    "confirm.answered",
    "mail.claimed",
    "mail.taken",
    "mail.settled",
    "packet.opened",
    "packet.computed",
    "packet.committed",
    "packet.answered",
    "removal.committed",
    "removal.answered",
    "sweep.deleted",
]
POINTS: Final[tuple[str, ...]] = get_args(Point)
# What a shell says of a process that was ended by `kill -9`.
EXIT_STATUS: Final = 137

# Read once: outside tests a crash point costs one comparison.
_AT: Final = (
    os.environ.get("HANDFAST_CRASH_AT") if os.environ.get("HANDFAST_TESTING") == "1" else None
)


def crashpoint(point: Point) -> None:
    """Exit at once, without any clean-up, if a test armed this point."""
    if point == _AT:
        # A server's parent process keeps the exit code to itself; the log tells the test.
        os.write(2, f"crash point {point}\n".encode())
        os._exit(EXIT_STATUS)
