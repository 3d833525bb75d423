"""Make this machine ready for one of the Makefile's targets. Needs the standard library only.

Does what is missing and nothing else: a second run finds its stamp and is over in a moment.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import device_packages
import system_packages

HERE = Path(__file__).resolve().parent.parent
VENV = HERE / ".venv"
STAMP = VENV / ".handfast-stamp"
LOCK_FILE = HERE / "requirements-dev.txt"
OLDEST_PYTHON = (3, 11)
GOALS = ("check", "run", "demo", "test", "all")


def main(arguments: list[str]) -> int:
    """Prepare for the named goal; exit code 1 and a hint when a person has to act first."""
    goal = arguments[0] if arguments else "all"
    if goal not in GOALS:
        return fail(f"no such goal: {goal}", "choose one of " + ", ".join(GOALS))
    if sys.version_info < OLDEST_PYTHON:
        found = platform.python_version()
        return fail(
            f"python 3.11 or newer is needed, and {sys.executable} is {found}",
            "install one and name it: make PYTHON=/path/to/python3.11 ...",
        )
    try:
        system_packages.provide(goal)
        make_environment()
        compile_catalogues()
        if goal in ("demo", "test", "all"):
            device_packages.collect(VENV / "bin" / "python", run)
    except system_packages.MissingError as missing:
        return fail(missing.what, missing.hint)
    except subprocess.CalledProcessError as error:
        command = " ".join(str(part) for part in error.cmd)
        return fail(f"this command failed: {command}", "its own words are above")
    return 0


def fail(message: str, hint: str) -> int:
    """Say what is wrong and what to do, the way every Handfast command does."""
    print(f"handfast: error: {message}", file=sys.stderr)
    print(f"handfast: hint: {hint}", file=sys.stderr)
    return 1


def make_environment() -> None:
    """Create .venv with exactly the pinned packages, unless the stamp says that this was done."""
    wanted = fingerprint()
    python = VENV / "bin" / "python"
    if python_runs(python) and STAMP.is_file() and STAMP.read_text() == wanted:
        return
    if not python_runs(python):
        say("creating the virtual environment in .venv")
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    say("installing the pinned packages (a minute or two, once)")
    pip = (str(python), "-m", "pip", "--disable-pip-version-check", "install")
    run(*pip, "--require-hashes", "--requirement", str(LOCK_FILE), quietly=True)
    run(*pip, "--no-deps", "--no-build-isolation", "--editable", str(HERE), quietly=True)
    STAMP.write_text(wanted)


def fingerprint() -> str:
    """What the environment was made from: a change of any of these makes it again."""
    digest = hashlib.sha256()
    for part in (
        LOCK_FILE.read_bytes(),
        (HERE / "pyproject.toml").read_bytes(),
        str(HERE).encode(),
    ):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def python_runs(python: Path) -> bool:
    """Whether the environment's interpreter still works (the system's may have been replaced)."""
    if not python.exists():
        return False
    done = subprocess.run(
        [str(python), "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False
    )
    return done.returncode == 0


def compile_catalogues() -> None:
    """Translations are compiled here, since compiled catalogues are not kept in the repository."""
    run(str(VENV / "bin" / "python"), str(HERE / "scripts" / "compile_catalogues.py"), "--quiet")


def say(what: str) -> None:
    """Tell the person what takes time, on standard error as progress belongs there."""
    print(f"handfast: set-up: {what}", file=sys.stderr, flush=True)


def run(*command: str, quietly: bool = False) -> None:
    """Run a command from the repository's root; quietly: its words are shown if it fails."""
    # A path left over from another environment would mix two sets of packages.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    output = subprocess.PIPE if quietly else None
    done = subprocess.run(
        command,
        cwd=HERE,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if quietly else None,
        env=environment,
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout or b"")
        done.check_returncode()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
