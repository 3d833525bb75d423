"""The small programs that browsers and desktops start: they need one absolute path each."""

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugin.errors import ExitCode
from plugin.registration.files import write_text

# Set at registration, they say where this device's things are; browsers start us without them.
KEPT_SETTINGS: Final = ("HANDFAST_HOME", "HANDFAST_SYSTEM_DIR")
SYSTEM_FOLDER: Final = Path("usr/local/lib/handfast")
# A source tree need not be installed: the program says where it is.
_SOURCE: Final = Path(__file__).resolve().parents[2]
_CHECK_TIMEOUT: Final = 20


@dataclass(frozen=True)
class Program:
    """A script's name, and the arguments for Python that it runs."""

    name: str
    arguments: tuple[str, ...]
    # Started without arguments it does nothing, and ends with this.
    idle_exit: int

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
        kept["PYTHONPATH"] = str(_SOURCE)
        exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in kept.items())
        # -P: a folder the browser happens to stand in must not be where `plugin` comes from.
        command = shlex.join([sys.executable, "-P", "-m", *self.arguments])
        return f'#!/bin/sh\n# Written by "handfast register".\n{exports}exec {command} "$@"\n'


NATIVE_HOST: Final = Program("handfast-native-host", ("plugin.native_host",), ExitCode.USAGE)
OPEN_FILE: Final = Program("handfast-open", ("plugin", "open", "--"), ExitCode.USAGE)
