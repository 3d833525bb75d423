"""One printed line for each figure: what it is compared with, the goal, met or missed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """A figure that stands for nothing without its comparison."""

    what: str
    figure: str
    compared_with: str
    goal: str
    met: bool


def heading(part: str, circumstances: str) -> None:
    """Begin a part; a loaded machine explains odd absolute figures."""
    print(f"\n{part} ({circumstances})", flush=True)


def show(line: Line) -> None:
    """Print one figure."""
    verdict = "met" if line.met else "MISSED"
    print(f"  {line.what}: {line.figure}", flush=True)
    print(f"      beside {line.compared_with}", flush=True)
    print(f"      goal {line.goal}: {verdict}", flush=True)


def note(text: str) -> None:
    """Print what explains the next figures."""
    print(f"  ({text})", flush=True)
