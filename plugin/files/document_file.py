"""Read a document that a browser or a person left on the disk, and clean up afterwards."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.limits import MAX_DOCUMENT


@dataclass(frozen=True)
class DocumentFile:
    """An untrusted document and the identity of the file it was read from."""

    path: Path
    # Its secret activates a device.
    untrusted_document: bytes = field(repr=False)
    identity: tuple[int, int]

    def unlink(self) -> bool:
        """Delete the file if it is still the one that was read; say whether it is gone."""
        try:
            with _folder(self.path) as folder:
                found = os.stat(self.path.name, dir_fd=folder, follow_symlinks=False)
                if (found.st_dev, found.st_ino) != self.identity:
                    return False
                os.unlink(self.path.name, dir_fd=folder)
        except OSError:
            return False
        return True


def read(path: Path) -> DocumentFile:
    """Read a small regular file of our own; no link is followed and no pipe can hold us."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    try:
        found = _checked(path, os.fstat(descriptor))
        untrusted_document = _whole(descriptor)
    finally:
        os.close(descriptor)
    if len(untrusted_document) > MAX_DOCUMENT:
        raise _unreadable(path, _("it is too large to be an activation document"))
    return DocumentFile(path, untrusted_document, (found.st_dev, found.st_ino))


def _checked(path: Path, found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise _unreadable(path, _("it is not a regular file"))
    if found.st_uid != os.getuid():
        raise _unreadable(path, _("it belongs to somebody else"))
    if found.st_size > MAX_DOCUMENT:
        raise _unreadable(path, _("it is too large to be an activation document"))
    return found


def _whole(descriptor: int) -> bytes:
    # The file may grow while it is read: one byte more than allowed shows it.
    content = b""
    while len(content) <= MAX_DOCUMENT:
        more = os.read(descriptor, MAX_DOCUMENT + 1 - len(content))
        if not more:
            break
        content += more
    return content


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _unreadable(path: Path, why: str) -> UserError:
    return UserError(
        _("cannot open %(file)s: %(why)s") % {"file": repr(str(path)), "why": why},
        _("give the file that the browser saved, usually activation.handfast in Downloads"),
        ExitCode.UNTRUSTED,
    )
