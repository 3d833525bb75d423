"""Replace a file so that after a crash it is either the old one or the new one, whole."""

import os
from pathlib import Path

from plugin.crashpoints import crashpoint
from plugin.paths import private_dir


def write_private(path: Path, content: bytes) -> None:
    """Durably replace `path` (mode 0600); raises OSError and then leaves the old file as it was."""
    private_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _write_new(temporary, content)
        crashpoint("store.temp.written")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    crashpoint("store.renamed")
    sync_dir(path.parent)


def sync_dir(folder: Path) -> None:
    """Make the folder's entries durable: a rename alone is not."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(path: Path) -> None:
    """Delete temporary files that crashed writers of `path` left; call it holding its lock."""
    for leftover in path.parent.glob(f".{path.name}.*.tmp"):
        leftover.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
