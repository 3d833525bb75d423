"""The small programs that browsers and desktops start: they need one absolute path each."""

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from plugin.atomic import write_private

NATIVE_HOST: Final = ("plugin.native_host",)
OPEN_FILE: Final = ("plugin", "open", "--")
# Set at registration, they say where this device's things are; browsers start us without them.
KEPT_SETTINGS: Final = ("HANDFAST_HOME", "HANDFAST_SYSTEM_DIR", "SSL_CERT_FILE")
# Known at registration only, since a source tree need not be installed.
_SOURCE: Final = Path(__file__).resolve().parents[2]


def write_launcher(path: Path, module: tuple[str, ...]) -> Path:
    """Write an executable script that runs `module` with this Python; return its path."""
    write_private(path, _script(module).encode())
    path.chmod(0o755)
    return path


def _script(module: tuple[str, ...]) -> str:
    kept = {name: os.environ[name] for name in KEPT_SETTINGS if os.environ.get(name)}
    kept["PYTHONPATH"] = str(_SOURCE)
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in kept.items())
    # -P: a folder the browser happens to stand in must not be where `plugin` comes from.
    command = shlex.join([sys.executable, "-P", "-m", *module])
    return f'#!/bin/sh\n# Written by "handfast register".\n{exports}exec {command} "$@"\n'
