"""What was registered, so that it can be renewed and taken back exactly."""

import os
from pathlib import Path
from typing import Final, Literal

import msgspec

from plugin.files.atomic import write_private
from plugin.paths import Paths

Kind = Literal["chromium", "firefox", "desktop", "refresh"]
_NAME: Final = "registrations.json"


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One browser profile, the desktop or the daily refresh, and the issuers named for it."""

    kind: Kind
    folder: str
    issuers: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        return Path(self.folder)


def program_folder(paths: Paths) -> Path:
    """Where this person's programs and the copy of the extension are."""
    return paths.data_dir / "registration"


def read(paths: Paths) -> tuple[Target, ...]:
    """Return what was registered; a damaged record counts as none: it holds nothing precious."""
    try:
        content = (program_folder(paths) / _NAME).read_bytes()
        return msgspec.json.decode(content, type=tuple[Target, ...])
    except (FileNotFoundError, msgspec.DecodeError):
        return ()


def add(paths: Paths, target: Target) -> None:
    """Remember a registration, in place of an earlier one of the same profile."""
    _write(paths, (*_others(paths, target), target))


def forget(paths: Paths, target: Target) -> None:
    """Forget a registration that was taken back."""
    _write(paths, _others(paths, target))


def _others(paths: Paths, target: Target) -> tuple[Target, ...]:
    return tuple(
        other
        for other in read(paths)
        if (other.kind, os.path.realpath(other.folder))
        != (target.kind, os.path.realpath(target.folder))
    )


def _write(paths: Paths, targets: tuple[Target, ...]) -> None:
    file = program_folder(paths) / _NAME
    if targets:
        write_private(file, msgspec.json.encode(targets))
    else:
        file.unlink(missing_ok=True)
