"""Firefox: our program as the helper application of the media type, per profile or by policy."""

import configparser
import shutil
from pathlib import Path
from typing import Any, Final

from plugin.registration import files
from plugin.registration.program import OPEN_FILE, SYSTEM_FOLDER
from protocol.media_type import ACTIVATION, FILE_EXTENSION

PROGRAMS: Final = ("firefox-esr", "firefox")
# Newer ones follow the XDG folders, unless the old folder is there.
HOMES: Final = (".mozilla/firefox", ".config/mozilla/firefox")
_USE_HELPER: Final = 2  # Firefox's own number for "use this program"


def program() -> str | None:
    """Return the path of Firefox, if it is installed."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def profiles(home: Path) -> list[Path]:
    """Return the folders of the profiles that Firefox has made below `home`."""
    found = []
    for folder in (home / name for name in HOMES):
        listing = configparser.ConfigParser(interpolation=None, strict=False)
        listing.read(folder / "profiles.ini", encoding="utf-8")
        for name in listing.sections():
            if name.startswith("Profile") and listing.has_option(name, "Path"):
                # Joining with an absolute path gives that path, as IsRelative=0 means it.
                found.append(folder / listing.get(name, "Path"))
    return [profile for profile in found if profile.is_dir()]


def register(profile: Path, programs: Path) -> list[Path]:
    """Name our program in the profile's list of handlers; return the files written."""
    launcher = OPEN_FILE.write(programs)
    handlers = files.read_json_object(profile / "handlers.json")
    handlers.setdefault("defaultHandlersVersion", {})
    handlers.setdefault("schemes", {})
    handlers.setdefault("mimeTypes", {})[ACTIVATION] = {
        "action": _USE_HELPER,
        "ask": False,
        "extensions": [FILE_EXTENSION.removeprefix(".")],
        "handlers": [_handler(launcher)],
    }
    return [launcher, files.write_json(profile / "handlers.json", handlers)]


def unregister(profile: Path, programs: Path) -> list[Path]:
    """Take our entry, and nothing else, out of the profile's list; return the files changed."""
    if not is_registered(profile, programs):
        return []
    handlers = files.read_json_object(profile / "handlers.json")
    del handlers["mimeTypes"][ACTIVATION]
    return [files.write_json(profile / "handlers.json", handlers)]


def is_registered(profile: Path, programs: Path) -> bool:
    """Whether the profile gives our media type to our program without asking."""
    entry = _entry(files.read_json_object(profile / "handlers.json"))
    return (
        entry.get("action") == _USE_HELPER
        and entry.get("ask") is False
        and _handler(programs / OPEN_FILE.name) in entry.get("handlers", [])
    )


def register_system(root: Path = Path("/")) -> list[Path]:
    """Add our program to the policies for every profile on this machine."""
    launcher = OPEN_FILE.write(root / SYSTEM_FOLDER)
    policies = files.read_json_object(_policies(root))
    handlers = policies.setdefault("policies", {}).setdefault("Handlers", {})
    handlers.setdefault("mimeTypes", {})[ACTIVATION] = {
        "action": "useHelperApp",
        "ask": False,
        "handlers": [_handler(launcher)],
    }
    return [launcher, files.write_json(_policies(root), policies)]


def unregister_system(root: Path = Path("/")) -> list[Path]:
    """Take our entry out of the policies; a file that held nothing else goes."""
    policies = files.read_json_object(_policies(root))
    handlers = policies.get("policies", {}).get("Handlers", {})
    if _entry(handlers) == {}:
        return []
    del handlers["mimeTypes"][ACTIVATION]
    if policies == {"policies": {"Handlers": {"mimeTypes": {}}}}:
        return files.remove(_policies(root))
    return [files.write_json(_policies(root), policies)]


def is_registered_by_policy(root: Path = Path("/")) -> bool:
    """Whether the machine's policies give our media type to our program."""
    policies = files.read_json_object(_policies(root))
    entry = _entry(policies.get("policies", {}).get("Handlers", {}))
    return _handler(root / SYSTEM_FOLDER / OPEN_FILE.name) in entry.get("handlers", [])


def _policies(root: Path) -> Path:
    return root / "etc/firefox/policies/policies.json"


def _handler(launcher: Path) -> dict[str, str]:
    return {"name": "Handfast", "path": str(launcher)}


def _entry(handlers: dict[str, Any]) -> dict[str, Any]:
    entry = handlers.get("mimeTypes", {}).get(ACTIVATION, {})
    return entry if isinstance(entry, dict) else {}
