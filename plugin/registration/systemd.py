"""Units of one person's systemd: where they are, how they are written, how they are switched."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from plugin.registration import files

_TOOL_TIMEOUT: Final = 30


def unit_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where units of one person are."""
    config = environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "systemd/user"


def runs_for_this_person(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether systemd looks after the session of the person who runs this."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    return runtime is not None and (Path(runtime) / "systemd/private").exists()


def install(units: Mapping[Path, str], enabled: Path) -> tuple[list[Path], bool]:
    """Write units, each with its text; return them, and whether `enabled` is switched on now."""
    written = [files.write_text(path, text) for path, text in units.items()]
    return written, control("daemon-reload") and control("enable", "--now", enabled.name)


def remove(units: Sequence[Path], program: Path) -> list[Path]:
    """Stop units, the one that was switched on first, and delete them; return what went."""
    if units[0].exists():
        control("disable", "--now", *(unit.name for unit in units))
    gone = [path for file in (*units, program) for path in files.remove(file)]
    if gone:
        control("daemon-reload")
    return gone


def escaped(path: Path) -> str:
    """The path as a unit has it: a percent sign would begin one of systemd's own words."""
    return str(path).replace("%", "%%")


def argument(path: Path) -> str:
    """The path as one argument of a command line: quoted, and nothing in it is replaced."""
    text = escaped(path).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{text}"'


def control(*arguments: str) -> bool:
    """Run `systemctl --user`; whether it is here and did what was asked."""
    tool = shutil.which("systemctl")
    if tool is None:
        return False
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed tool, and arguments of our own
            [tool, "--user", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TOOL_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
