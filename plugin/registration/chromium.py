"""Chromium: the bridge extension, allowed on the trusted portals only, and its native host."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from plugin.bridge import EXTENSION_ID as EXTENSION_ID
from plugin.bridge import EXTENSION_ORIGIN as EXTENSION_ORIGIN
from plugin.bridge import HOST_NAME as HOST_NAME
from plugin.registration import files
from plugin.registration.program import NATIVE_HOST, SYSTEM_FOLDER

SOURCE: Final = Path(__file__).resolve().parents[1] / "browser"
PROGRAMS: Final = ("chromium", "chromium-browser")


@dataclass(frozen=True)
class Place:
    """Where the parts of one registration are; those of one person's profiles share two folders."""

    hosts: Path
    extension: Path
    programs: Path

    @classmethod
    def of_profile(cls, user_data_dir: Path, programs: Path) -> "Place":
        """One user-data folder; extension and launcher are with the device's own data."""
        return cls(user_data_dir / "NativeMessagingHosts", programs / "chromium", programs)

    @classmethod
    def of_system(cls, root: Path = Path("/")) -> "Place":
        """Everybody on this machine; Debian's Chromium loads the extension by itself."""
        return cls(
            root / "etc/chromium/native-messaging-hosts",
            root / "usr/share/chromium/extensions/handfast",
            root / SYSTEM_FOLDER,
        )

    @property
    def host_manifest(self) -> Path:
        return self.hosts / f"{HOST_NAME}.json"

    @property
    def launcher(self) -> Path:
        return self.programs / NATIVE_HOST.name


def program() -> str | None:
    """Return the path of Chromium, if it is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def default_user_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder Chromium uses when it is started without --user-data-dir."""
    config = environ.get("CHROME_CONFIG_HOME") or environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "chromium"


def register(place: Place, issuers: Sequence[str]) -> list[Path]:
    """Write extension, launcher and host manifest; return what was written, in that order."""
    write_extension(place.extension, issuers)
    launcher = NATIVE_HOST.write(place.programs)
    manifest = files.write_json(place.host_manifest, host_manifest(launcher))
    return [place.extension, launcher, manifest]


def unregister(place: Place, *, shared: bool) -> list[Path]:
    """Delete what `register` wrote, but not the parts other profiles share; return what went."""
    gone = files.remove(place.host_manifest)
    if not shared:
        gone += files.remove(place.extension) + files.remove(place.launcher)
    return gone


def write_extension(folder: Path, issuers: Sequence[str]) -> None:
    """Put a copy of the extension into `folder` that may touch the issuers' pages only."""
    fresh = folder.with_name(f".{folder.name}.new")
    files.remove(fresh)
    files.make_folder(folder.parent)
    files.copy_folder(SOURCE, fresh)
    files.write_json(fresh / "manifest.json", extension_manifest(issuers))
    files.remove(folder)
    fresh.rename(folder)


def extension_manifest(issuers: Sequence[str]) -> dict[str, Any]:
    """Return the manifest of a copy for these issuers."""
    manifest = files.read_json_object(SOURCE / "manifest.json")
    patterns = [host_permission(issuer) for issuer in issuers]
    manifest["host_permissions"] = patterns
    # A script for no page at all is an error to the browser.
    scripts = [{**script, "matches": patterns} for script in manifest["content_scripts"]]
    manifest["content_scripts"] = scripts if patterns else []
    return manifest


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
