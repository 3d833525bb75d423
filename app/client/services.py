"""Which client the operator has put there, and its bytes. No framework here."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from app.keystore.provider import FileKeyProvider, Published
from protocol.errors import RemoteProtocolError
from protocol.trust import TrustBundle

LARGEST: Final = 16 * 1024 * 1024
_NAME: Final = re.compile(r"handfast-(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)-py3-none-any\.whl")


@dataclass(frozen=True)
class Wheel:
    """One file of the folder; the digest is SHA-256, in hexadecimal."""

    name: str
    version: tuple[int, int, int]
    size: int
    digest: str

    @property
    def version_text(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def newest(folder: Path) -> Wheel | None:
    """Return the client of the highest version, or None where the operator has put none."""
    return max(_wheels(folder), key=lambda wheel: wheel.version, default=None)


def content(folder: Path, digest: str) -> tuple[Wheel, bytes] | None:
    """Return the client with this digest; what is returned has it, whatever the file became."""
    for wheel in _wheels(folder):
        if wheel.digest == digest:
            found = _read(folder / wheel.name)
            if found is not None and hashlib.sha256(found).hexdigest() == digest:
                return wheel, found
    return None


def trust_fingerprint(keys_dir: Path) -> str | None:
    """Return the fingerprint that a device shows for this service, or None before `keys init`."""
    bundle = FileKeyProvider(keys_dir).read_published(Published.TRUST)
    try:
        return None if bundle is None else TrustBundle.from_json(bundle).fingerprint
    except RemoteProtocolError:
        return None


def _wheels(folder: Path) -> list[Wheel]:
    """Look at the names in the folder; nothing that a visitor sends ever names a file."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    found = []
    for name in names:
        matched = _NAME.fullmatch(name)
        status = _status(folder / name) if matched else None
        if matched is None or status is None:
            continue
        digest = _digest(folder / name, status.st_mtime_ns, status.st_size, status.st_ino)
        if digest is not None:
            major, minor, patch = (int(part) for part in matched.groups())
            found.append(Wheel(name, (major, minor, patch), status.st_size, digest))
    return found


@lru_cache(maxsize=32)
def _digest(path: Path, changed_at: int, size: int, number: int) -> str | None:  # noqa: ARG001 - what the file was when it was read
    """Read a file once for as long as it stays the same; a page is asked for more often."""
    found = _read(path)
    return None if found is None else hashlib.sha256(found).hexdigest()


def _status(path: Path) -> os.stat_result | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status if stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST else None


def _read(path: Path) -> bytes | None:
    """Read a regular file that is no link to elsewhere, or return None."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            body = file.read(LARGEST + 1)
    except OSError:
        return None
    return body if len(body) <= LARGEST else None
