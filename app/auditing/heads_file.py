"""The heads outside of the database: only ever appended to, by one process at a time.

Whoever can change the database cannot shorten or rebuild the chain unnoticed as long as they
cannot change this file, or a copy of it, as well.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.auditing.chain import Head, HeadFormatError

_LONGEST_LINE: Final = 1024


@contextmanager
def opened(path: Path) -> Iterator[HeadsFile]:
    """Yield the file, made where there is none, to one process at a time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield HeadsFile(descriptor)
    finally:
        os.close(descriptor)


class HeadsFile:
    """The open file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Final = descriptor

    def last(self) -> Head | None:
        """Return the last head, None of an empty file; HeadFormatError if it is none."""
        size = os.fstat(self._descriptor).st_size
        end = os.pread(self._descriptor, _LONGEST_LINE, max(0, size - _LONGEST_LINE))
        if not end:
            return None
        if not end.endswith(b"\n"):
            # The machine stopped in the middle of a line; what was whole stays.
            os.ftruncate(self._descriptor, size - len(end.rpartition(b"\n")[2]))
            return self.last()
        return Head.from_line(end[:-1].rpartition(b"\n")[2])

    def append(self, heads: Sequence[Head]) -> None:
        """Add heads, durably."""
        lines = b"".join(head.to_line() for head in heads)
        while lines:
            lines = lines[os.write(self._descriptor, lines) :]
        os.fsync(self._descriptor)


def read(path: Path, size: int) -> Iterator[tuple[int, Head | None]]:
    """Yield the number of each whole line within a length, and its head; None: none of ours."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            size -= len(line)
            if size < 0 or not line.endswith(b"\n"):
                return
            try:
                yield number, Head.from_line(line)
            except HeadFormatError:
                yield number, None
