"""Run the linters, the type checker, the layer rules and the tests, and say how long each took."""

import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LINT = (
    ("ruff", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("mypy", ("mypy", ".")),
    ("layers", ("lint-imports",)),
)
# `make faults` runs the rest: every crash point takes minutes, and some walk here anyway.
TESTS = (("tests", ("pytest", "-m", "not faults", "--durations=15")),)


def main(arguments: list[str]) -> int:
    """Run every step even when one failed: a person wants to see all there is to mend at once."""
    steps = LINT if arguments == ["lint"] else LINT + TESTS
    began = time.monotonic()
    outcomes = [run_step(name, command) for name, command in steps]
    print()
    for name, code, seconds in outcomes:
        print(f"  {name:8} {'ok' if code == 0 else f'FAILED ({code})':12} {seconds:7.1f} s")
    print(f"  {'all':8} {'':12} {time.monotonic() - began:7.1f} s", flush=True)
    # The tests' exit code comes last in the list and tells most, so it wins over a linter's.
    return next((code for _, code, _ in reversed(outcomes) if code != 0), 0)


def run_step(name: str, command: tuple[str, ...]) -> tuple[str, int, float]:
    """Run one tool of the virtual environment and return its name, exit code and seconds."""
    print(f"\n== {name}: {' '.join(command)}", flush=True)
    began = time.monotonic()
    # Tools started by the tests (flask, handfast, granian) are those of this environment.
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=HERE,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PATH": path},
    )
    return name, done.returncode, time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
