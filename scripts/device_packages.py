"""The packages that an installed device needs, kept beside the environment to install from.

With them a device can be installed by pipx, in the demo and in the tests, without the network.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
FOLDER = HERE / ".venv" / "device-packages"
STAMP = FOLDER / ".handfast-stamp"


def collect(python: Path, run: Callable[..., None]) -> None:
    """Download exactly the pinned ones, by their hashes, unless the stamp says they are there."""
    wanted = requirements()
    digest = hashlib.sha256(wanted.encode()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == digest:
        return
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    listed = FOLDER / "requirements.txt"
    listed.write_text(wanted)
    pip = (str(python), "-m", "pip", "--disable-pip-version-check", "download", "--no-deps")
    options = ("--require-hashes", "--requirement", str(listed), "--dest", str(FOLDER))
    run(*pip, *options, quietly=True)
    STAMP.write_text(digest)


def requirements() -> str:
    """Return the device's pins, and that of pip, which pipx puts into what it makes."""
    pins = (HERE / "requirements-dev.txt").read_text(encoding="utf-8")
    pip = re.search(r"^pip==.*\n(?:    --hash=.*\n)+", pins, re.M)
    if pip is None:
        raise LookupError("requirements-dev.txt does not pin pip")
    return (HERE / "requirements-device.txt").read_text(encoding="utf-8") + pip[0]
