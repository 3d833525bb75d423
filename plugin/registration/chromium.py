"""Chromium: the bridge extension, allowed on the trusted portals only, and its native host."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from plugin.registration.program import NATIVE_HOST, write_launcher

HOST_NAME: Final = "org.handfast.host"
# The first half of SHA-256 over the public key in the extension's manifest, in letters a to p.
EXTENSION_ID: Final = "kpnemagoolhpaggiahldehleoihgldpp"
EXTENSION_ORIGIN: Final = f"chrome-extension://{EXTENSION_ID}/"
SOURCE: Final = Path(__file__).resolve().parents[1] / "browser"


@dataclass(frozen=True)
class Place:
    """Where one registration puts its three parts; `extension` and `launcher` may be shared."""

    hosts: Path
    extension: Path
    launcher: Path

    @classmethod
    def of_profile(cls, user_data_dir: Path, data_dir: Path) -> "Place":
        """One user-data folder; the other two parts stay with the device's own data."""
        home = data_dir / "registration"
        return cls(
            user_data_dir / "NativeMessagingHosts", home / "chromium", home / "handfast-native-host"
        )

    @classmethod
    def of_system(cls, root: Path = Path("/")) -> "Place":
        """Everybody on this machine; Debian's Chromium loads the extension by itself."""
        return cls(
            root / "etc/chromium/native-messaging-hosts",
            root / "usr/share/chromium/extensions/handfast",
            root / "usr/local/lib/handfast/handfast-native-host",
        )

    @property
    def host_manifest(self) -> Path:
        return self.hosts / f"{HOST_NAME}.json"


def default_user_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder Chromium uses when it is started without --user-data-dir."""
    config = environ.get("CHROME_CONFIG_HOME") or environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "chromium"


def register(place: Place, issuers: Sequence[str]) -> list[Path]:
    """Write extension, launcher and host manifest; return what was written, in that order."""
    write_extension(place.extension, issuers)
    launcher = write_launcher(place.launcher, NATIVE_HOST)
    place.hosts.mkdir(parents=True, exist_ok=True)
    place.host_manifest.write_text(_json(host_manifest(launcher)), encoding="utf-8")
    return [place.extension, launcher, place.host_manifest]


def write_extension(folder: Path, issuers: Sequence[str]) -> None:
    """Put a copy of the extension into `folder` that may touch the issuers' pages only."""
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(SOURCE, fresh)
    manifest = json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8"))
    manifest["host_permissions"] = [host_permission(issuer) for issuer in issuers]
    (fresh / "manifest.json").write_text(_json(manifest), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def host_permission(issuer: str) -> str:
    """Return the match pattern of an issuer; without a port it would mean every port."""
    parts = urlsplit(issuer)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError(f"not an issuer: {issuer}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"https://{host}:{parts.port or 443}/*"


def host_manifest(launcher: Path) -> dict[str, Any]:
    """Return what the browser must read to let this extension, and no other, start the host."""
    return {
        "name": HOST_NAME,
        "description": "Handfast content handler",
        "path": str(launcher),
        "type": "stdio",
        "allowed_origins": [EXTENSION_ORIGIN],
    }


def extension_id(public_key: bytes) -> str:
    """Return the id the browser gives to an extension whose manifest holds this key."""
    digest = hashlib.sha256(public_key).hexdigest()[:32]
    return digest.translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
