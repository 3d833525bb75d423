"""What the administrator left on the device: believed only where nobody else could write it."""

import os
import stat
from pathlib import Path

from plugin.i18n import _
from plugin.limits import MAX_TRUST_FILE


class OthersCouldWriteError(Exception):
    """Somebody who is neither the administrator nor this person may have written the file."""

    def __str__(self) -> str:
        return _("others may write to it")


def read(file: Path, *, follow: bool = False) -> bytes:
    """Return a small file's content; raises OSError and OthersCouldWriteError."""
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    with os.fdopen(os.open(file, flags), "rb") as opened:
        found = os.fstat(opened.fileno())
        ours = found.st_uid in (0, os.getuid())
        if not ours or not stat.S_ISREG(found.st_mode) or found.st_mode & 0o022:
            raise OthersCouldWriteError
        return opened.read(MAX_TRUST_FILE)
