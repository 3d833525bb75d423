"""Where keys live. The interface is small, so that a key vault can stand behind it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

import msgspec

from app.keystore.files import replace_file
from protocol.encoding import b64u, unb64u
from protocol.errors import RemoteProtocolError

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
# Others may pass through to the sub-folder that is theirs: portal and exchange can be two users.
TOP_MODE: Final = 0o711
PUBLISHED_FOLDER_MODE: Final = 0o755
PUBLISHED_FILE_MODE: Final = 0o644
SECRET_BYTES: Final = 32


class KeyKind(StrEnum):
    """What a key is for; also the name of its folder."""

    ROOT = "root"
    DOCUMENTS = "documents"
    EXCHANGE = "exchange"
    SEALING_GRANTS = "sealing-grants"
    SEALING_KEYS = "sealing-keys"
    # Second factors and other secrets of the administration: portal and worker.
    SEALING_STAFF = "sealing-staff"
    # The sealer of the audit signs the chain's end with it: worker only.
    AUDIT = "audit"


class Published(StrEnum):
    """What is published; also the name of its file."""

    KEY_SET = "handfast-keys.jwt"
    TRUST = "trust.json"


class KeyStoreError(Exception):
    """The operator has to act: a key is missing, unreadable, or readable by others."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint: Final = hint


@dataclass(frozen=True)
class StoredKey:
    """One key and when it may be used: from ``not_before`` until ``retired_at``."""

    kind: KeyKind
    id: str
    created_at: int
    not_before: int
    retired_at: int | None
    secret: bytes = field(repr=False)

    def is_current(self, now: int) -> bool:
        """Say whether the key may make something new."""
        return self.not_before <= now and not self.is_retired(now)

    def is_retired(self, now: int) -> bool:
        """Say whether the key's time is over."""
        return self.retired_at is not None and self.retired_at <= now


class KeyProvider(Protocol):
    """Keeps keys and what is published of them."""

    def load(self, kind: KeyKind) -> tuple[StoredKey, ...]:
        """Return the keys of one kind, oldest first; none is an empty tuple."""
        ...

    def save(self, key: StoredKey) -> None:
        """Keep a key durably, replacing the one with the same id."""
        ...

    def stamp(self, kind: KeyKind) -> int:
        """Return a number that changes whenever the keys of this kind may have changed."""
        ...

    def read_published(self, name: Published) -> bytes | None:
        """Return what was published, or None."""
        ...

    def publish(self, name: Published, content: bytes) -> None:
        """Publish, durably and in one step."""
        ...


class _KeyFile(msgspec.Struct, forbid_unknown_fields=True):
    kind: str
    id: str
    created_at: int
    not_before: int
    retired_at: int | None
    secret: str


class FileKeyProvider:
    """One folder per kind, one file per key, closed to everybody else."""

    def __init__(self, folder: Path, *, root_folder: Path | None = None) -> None:
        self._folder: Final = folder
        # The root key can live elsewhere, on a stick that is seldom there.
        self._root_folder: Final = root_folder or folder / KeyKind.ROOT

    def load(self, kind: KeyKind) -> tuple[StoredKey, ...]:
        """Read the keys of one kind; refuse files that others can read."""
        folder = self._of(kind)
        try:
            _refuse_open(folder, folder.stat(), is_folder=True)
            paths = [path for path in folder.iterdir() if path.suffix == ".json"]
        except FileNotFoundError:
            return ()
        except PermissionError:
            raise KeyStoreError(
                f"cannot read {folder}", "run this as the user who owns the keys"
            ) from None
        return _oldest_first(_read_key(path, kind) for path in paths)

    def save(self, key: StoredKey) -> None:
        """Write the key's file in one step."""
        self._make_folder(self._of(key.kind), FOLDER_MODE)
        content = _KeyFile(
            kind=key.kind,
            id=key.id,
            created_at=key.created_at,
            not_before=key.not_before,
            retired_at=key.retired_at,
            secret=b64u(key.secret),
        )
        path = self._of(key.kind) / f"{key.id}.json"
        replace_file(path, msgspec.json.encode(content), mode=FILE_MODE)

    def stamp(self, kind: KeyKind) -> int:
        """Return the folder's time of change: every save renames a file into it."""
        try:
            return os.stat(self._of(kind)).st_mtime_ns  # noqa: PTH116  # on the hot path
        except OSError:
            return 0

    def read_published(self, name: Published) -> bytes | None:
        """Read a published file."""
        try:
            return (self._folder / "published" / name).read_bytes()
        except FileNotFoundError:
            return None

    def publish(self, name: Published, content: bytes) -> None:
        """Write a published file in one step."""
        folder = self._folder / "published"
        self._make_folder(folder, PUBLISHED_FOLDER_MODE)
        replace_file(folder / name, content, mode=PUBLISHED_FILE_MODE)

    def _of(self, kind: KeyKind) -> Path:
        return self._root_folder if kind is KeyKind.ROOT else self._folder / kind

    def _make_folder(self, folder: Path, mode: int) -> None:
        if not self._folder.exists():
            self._folder.mkdir(mode=TOP_MODE, parents=True)
            self._folder.chmod(TOP_MODE)
        if not folder.exists():
            folder.mkdir(mode=mode, parents=True)
            folder.chmod(mode)


def _read_key(path: Path, kind: KeyKind) -> StoredKey:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            _refuse_open(path, os.fstat(file.fileno()), is_folder=False)
            content = msgspec.json.decode(file.read(4096), type=_KeyFile)
        secret = unb64u(content.secret, length=SECRET_BYTES)
    except OSError as error:
        raise KeyStoreError(
            f"cannot read {path}: {error.strerror}", "run this as the user who owns the keys"
        ) from None
    except (msgspec.MsgspecError, RemoteProtocolError):
        raise KeyStoreError(f"{path} is not a key file", "restore it from a backup") from None
    if content.kind != kind or content.id != path.stem:
        raise KeyStoreError(f"{path} holds another key", "restore it from a backup")
    return StoredKey(
        kind, content.id, content.created_at, content.not_before, content.retired_at, secret
    )


def _refuse_open(path: Path, status: os.stat_result, *, is_folder: bool) -> None:
    right_type = stat.S_ISDIR(status.st_mode) if is_folder else stat.S_ISREG(status.st_mode)
    if not right_type:
        raise KeyStoreError(f"{path} is not what it should be", "restore it from a backup")
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        mode = "700" if is_folder else "600"
        raise KeyStoreError(
            f"others can read {path}", f"chown it to the user of this process and chmod {mode} it"
        )


def _oldest_first(keys: Iterable[StoredKey]) -> tuple[StoredKey, ...]:
    return tuple(sorted(keys, key=lambda key: (key.not_before, key.created_at, key.id)))
