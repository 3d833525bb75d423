"""Files that are either the old ones or the new ones, never a half."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex


def replace_file(path: Path, content: bytes, *, mode: int) -> None:
    """Write ``content`` beside ``path`` and rename it over; both steps reach the disk."""
    temporary = path.with_name(f".{path.name}.{token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
