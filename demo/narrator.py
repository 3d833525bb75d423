"""Say each step as it happens, with the time it took."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

WIDTH = 72


@dataclass
class Narrator:
    """Numbers the steps and keeps the time."""

    began: float = field(default_factory=time.monotonic)
    steps: int = 0

    def heading(self, text: str) -> None:
        """Begin a part."""
        print(f"\n{text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is being done, and afterwards how long it took."""
        self.steps += 1
        label = f"{self.steps:3}  {text} "
        # On a terminal the line appears at once; in a file it is written whole.
        terminal = sys.stdout.isatty()
        if terminal:
            print(label, end="", flush=True)
        began = time.monotonic()
        try:
            yield
        except BaseException:
            print("failed" if terminal else f"{label}failed", flush=True)
            raise
        taken = f" {time.monotonic() - began:.2f} s"
        dots = "." * max(3, WIDTH - len(label))
        print(f"{dots}{taken}" if terminal else f"{label}{dots}{taken}", flush=True)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows in columns."""
        everything = [header, *rows]
        widths = [max(len(row[column]) for row in everything) for column in range(len(header))]
        for row in everything:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            print("     " + "   ".join(cells).rstrip())

    @property
    def seconds(self) -> float:
        """Since the demo began."""
        return time.monotonic() - self.began
