"""The small programs that browsers and desktops start: they need one absolute path each."""

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugin import start
from plugin.errors import ExitCode
from plugin.registration.files import write_text

# Set at registration, they say where this device's things are; browsers start us without them.
KEPT_SETTINGS: Final = ("HANDFAST_HOME", "HANDFAST_SYSTEM_DIR")
SYSTEM_FOLDER: Final = Path("usr/local/lib/handfast")
_CHECK_TIMEOUT: Final = 20


@dataclass(frozen=True)
class Program:
    """A script's name, the module of ours that it runs, and the arguments for that."""

    name: str
    arguments: tuple[str, ...]
    # Started without arguments it does nothing, and ends with this.
    idle_exit: int
    # The command that writes it, for whoever finds the script.
    writer: str = "handfast register"

    def write(self, folder: Path) -> Path:
        """Write the executable script into `folder`; return its path."""
        return write_text(folder / self.name, self._script(), mode=0o755)

    def works(self, folder: Path) -> bool:
        """Whether the script is there and its Python finds our code."""
        try:
            ended = subprocess.run(  # noqa: S603 - the path is ours, there are no arguments
                [str(folder / self.name)],
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_CHECK_TIMEOUT,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return ended.returncode == self.idle_exit and b"handfast: error:" in ended.stderr

    def _script(self) -> str:
        kept = {
            name: os.path.abspath(os.environ[name])  # noqa: PTH100 - text in, text out
            for name in KEPT_SETTINGS
            if os.environ.get(name)
        }
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in kept.items())
        command = shlex.join(start.command(*self.arguments))
        return f'#!/bin/sh\n# Written by "{self.writer}".\n{exports}exec {command} "$@"\n'


NATIVE_HOST: Final = Program("handfast-native-host", ("plugin.native_host",), ExitCode.USAGE)
OPEN_FILE: Final = Program("handfast-open", ("plugin", "open", "--"), ExitCode.USAGE)
