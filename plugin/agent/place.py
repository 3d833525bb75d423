"""The place where programs of this person find the agent, and nobody else's agent."""

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.paths import Paths

# The first descriptor that systemd passes on (sd_listen_fds).
_PASSED: Final = 3
_BACKLOG: Final = 16


def socket_path(paths: Paths) -> Path:
    """Return where the socket is."""
    return paths.runtime_dir / "agent"


@contextmanager
def listening(paths: Paths) -> Iterator[socket.socket]:
    """Listen on the socket, or on the one that systemd opened for us; or raise UserError."""
    passed = _passed_socket()
    if passed:
        with passed:
            yield passed
        return
    path = socket_path(paths)
    _check_folders(path.parent)
    with _lock(path.with_name("agent.lock")), _bound(path) as listener:
        yield listener


def _passed_socket() -> socket.socket | None:
    pid, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    if pid != str(os.getpid()):
        return None
    with suppress(OSError):
        passed = socket.socket(fileno=_PASSED)
        passed.set_inheritable(False)
        local = passed.family == socket.AF_UNIX and passed.type == socket.SOCK_STREAM
        if count == "1" and local and passed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            passed.setblocking(True)
            return passed
        passed.close()
    raise UserError(
        _("what systemd passed to the agent is not a listening socket"),
        _('write its units anew with "handfast agent install"'),
        ExitCode.USAGE,
    )


def _check_folders(folder: Path) -> None:
    """Make the folder; refuse one that others could open or put something else in place of."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found, above = folder.lstat(), folder.parent.stat()
    except OSError as error:
        raise _unusable(folder, error.strerror or str(error)) from error
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    if not ours or above.st_uid not in (0, os.getuid()):
        raise _unusable(folder, _("it belongs to somebody else"))
    if found.st_mode & 0o077 or above.st_mode & 0o022:
        raise _unusable(folder, _("others may enter or replace it"))


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise _another() from error
    finally:
        os.close(descriptor)


@contextmanager
def _bound(path: Path) -> Iterator[socket.socket]:
    _remove_stale(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        before = os.umask(0o177)
        try:
            listener.bind(str(path))
        except OSError as error:
            # The length of such a path has a small limit, which the library words as a value.
            raise _unusable(path.parent, error.strerror or str(error)) from error
        finally:
            os.umask(before)
        ours = path.stat().st_ino
        try:
            listener.listen(_BACKLOG)
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if path.lstat().st_ino == ours:
                    path.unlink()


def _remove_stale(path: Path) -> None:
    """Remove what an agent left that was killed; never a socket on which somebody listens."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise _unusable(path.parent, _("there is something else in the place of the socket"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise _another()


def _another() -> UserError:
    return UserError(
        _("another agent is running"),
        _("it answers programs already; end it first to run this one"),
        ExitCode.USAGE,
    )


def _unusable(folder: Path, why: str) -> UserError:
    return UserError(
        _("the agent cannot use the folder %(folder)s: %(why)s") % {"folder": folder, "why": why},
        _("it must be a folder that only you may enter: look at its owner and rights"),
        ExitCode.USAGE,
    )
