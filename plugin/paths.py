"""Where the device keeps its things."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs

SYSTEM_DIR: Final = Path("/etc/handfast")


@dataclass(frozen=True)
class Paths:
    """Folders of one person on one device; `portable` when HANDFAST_HOME holds all of them."""

    data_dir: Path
    config_dir: Path
    system_dir: Path
    portable: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "Paths":
        system_dir = Path(environ.get("HANDFAST_SYSTEM_DIR") or SYSTEM_DIR)
        home = environ.get("HANDFAST_HOME")
        if home:
            base = Path(home).absolute()
            return cls(base / "data", base / "config", system_dir, portable=True)
        return cls(
            Path(platformdirs.user_data_dir("handfast", appauthor=False)),
            Path(platformdirs.user_config_dir("handfast", appauthor=False)),
            system_dir,
        )

    @property
    def store(self) -> Path:
        return self.data_dir / "store"

    @property
    def store_lock(self) -> Path:
        return self.data_dir / "store.lock"

    @property
    def trust_dir(self) -> Path:
        return self.config_dir / "trust"

    @property
    def system_trust_dir(self) -> Path:
        return self.system_dir / "trust.d"

    @property
    def runtime_dir(self) -> Path:
        """Where programs of this person meet while the machine runs."""
        if self.portable:
            return self.data_dir.parent / "run"
        with warnings.catch_warnings():
            # Where the system has no such folder the library takes one below /tmp and warns; the
            # agent looks at the owners itself.
            warnings.simplefilter("ignore")
            return Path(platformdirs.user_runtime_dir("handfast", appauthor=False))

    @property
    def policy(self) -> Path:
        return self.system_dir / "policy.json"


def private_dir(folder: Path) -> Path:
    """Make `folder` for its owner alone, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
