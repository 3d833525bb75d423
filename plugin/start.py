"""How a module of ours is started in a process of its own, installed or from a checkout."""

import sys
from pathlib import Path
from typing import Final

_PACKAGES: Final = Path(__file__).resolve().parents[1]
# An installed device has our packages inside of the package `handfast`, a checkout beside it.
_RUN: Final = (
    _PACKAGES.parent / "run.py" if _PACKAGES.name == "_inside" else _PACKAGES / "handfast/run.py"
)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs the module; it needs no folder and no environment."""
    # -P: whatever folder we are started from must not be where modules come from.
    return [sys.executable, "-P", str(_RUN), module, *arguments]
