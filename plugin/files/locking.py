"""One writer at a time, also among several handlers that browsers started at once."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.limits import STORE_LOCK_WAIT
from plugin.paths import private_dir


@contextmanager
def exclusive(lock_file: Path, *, wait: float = STORE_LOCK_WAIT) -> Iterator[None]:
    """Hold `lock_file`; the kernel frees it when the process dies. Raises UserError (exit 7)."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        private_dir(lock_file.parent)
        descriptor = os.open(lock_file, flags, 0o600)
    except OSError as error:
        raise UserError(
            _("cannot use the folder %(folder)s: %(why)s")
            % {"folder": lock_file.parent, "why": error.strerror or error},
            _("make it a folder that you may write to"),
            ExitCode.STORE,
        ) from error
    try:
        _wait_for(descriptor, time.monotonic() + wait)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, give_up: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise UserError(
                    _("the key store is in use by another Handfast"),
                    _("wait until the other one is done, then try again"),
                    ExitCode.STORE,
                ) from None
            time.sleep(0.05)
        else:
            return
