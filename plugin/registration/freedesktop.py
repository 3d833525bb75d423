"""Freedesktop desktops: the media type by its file name, and the launcher that opens it."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from plugin.registration import files
from plugin.registration.chromium import SOURCE
from plugin.registration.program import OPEN_FILE, SYSTEM_FOLDER
from protocol.media_type import ACTIVATION, FILE_EXTENSION

DESKTOP_FILE: Final = "org.handfast.open.desktop"
_MIME_PACKAGE: Final = "org.handfast.xml"
_TOOL_TIMEOUT: Final = 30


@dataclass(frozen=True)
class Place:
    """The folder of shared data (XDG), and that of our programs."""

    shared: Path
    programs: Path
    personal: bool = True

    @classmethod
    def of_person(cls, programs: Path, environ: Mapping[str, str] = os.environ) -> "Place":
        """The data folder of the person who runs this."""
        home = environ.get("XDG_DATA_HOME")
        return cls(Path(home) if home else Path.home() / ".local/share", programs)

    @classmethod
    def of_system(cls, root: Path = Path("/")) -> "Place":
        """Everybody on this machine."""
        return cls(root / "usr/local/share", root / SYSTEM_FOLDER, personal=False)

    @property
    def mime_package(self) -> Path:
        return self.shared / "mime/packages" / _MIME_PACKAGE

    @property
    def desktop_file(self) -> Path:
        return self.shared / "applications" / DESKTOP_FILE

    @property
    def icon(self) -> Path:
        return self.programs / "handfast.png"


def is_desktop() -> bool:
    """Whether the tools of a desktop are here."""
    return shutil.which("update-mime-database") is not None and shutil.which("xdg-mime") is not None


def register(place: Place) -> list[Path]:
    """Describe the media type, add the launcher and make it the default; return the files."""
    launcher = OPEN_FILE.write(place.programs)
    shutil.copyfile(SOURCE / "icons/128.png", place.icon)
    written = [
        launcher,
        place.icon,
        files.write_text(place.mime_package, mime_package()),
        files.write_text(place.desktop_file, desktop_entry(launcher, place.icon)),
    ]
    _update(place)
    if place.personal:
        _run("xdg-mime", "default", DESKTOP_FILE, ACTIVATION)
    return written


def unregister(place: Place) -> list[Path]:
    """Delete what `register` wrote; return what went."""
    gone = [
        path
        for file in (place.mime_package, place.desktop_file, place.icon)
        for path in files.remove(file)
    ]
    if gone:
        _update(place)
        if place.personal:
            _forget_default()
    return gone


def default_application() -> str:
    """Return the name of the launcher that the desktop would use for our media type."""
    return _run("xdg-mime", "query", "default", ACTIVATION).strip()


def mime_package() -> str:
    """Return the description of the media type for the shared database."""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">\n'
        f"  <mime-type type={quoteattr(ACTIVATION)}>\n"
        "    <comment>Handfast activation document</comment>\n"
        f"    <glob pattern={quoteattr('*' + FILE_EXTENSION)}/>\n"
        "  </mime-type>\n"
        "</mime-info>\n"
    )


def desktop_entry(launcher: Path, icon: Path) -> str:
    """Return the launcher: it opens one document and stands in no menu."""
    # The script is sh's argument, since GLib finds no program whose path has a % in it.
    return (
        "[Desktop Entry]\n"
        "Type=Application\n"
        "Name=Handfast\n"
        "Comment=Opens activation documents\n"
        f"Exec=/bin/sh {exec_argument(str(launcher))} %f\n"
        f"Icon={_escaped(str(icon))}\n"
        f"MimeType={ACTIVATION};\n"
        "NoDisplay=true\n"
        "Terminal=false\n"
    )


def exec_argument(text: str) -> str:
    """Quote one argument of an Exec line, which is then escaped like every value."""
    quoted = "".join(f"\\{character}" if character in '"`$\\' else character for character in text)
    return _escaped(f'"{quoted}"'.replace("%", "%%"))


def _escaped(value: str) -> str:
    if any(ord(character) < 32 for character in value):
        raise ValueError("a control character in the value of a launcher")
    return value.replace("\\", "\\\\")


def _update(place: Place) -> None:
    _run("update-mime-database", str(place.shared / "mime"))
    _run("update-desktop-database", str(place.shared / "applications"))


def _forget_default(environ: Mapping[str, str] = os.environ) -> None:
    """Take the line that `xdg-mime default` wrote out again; it has no command for that."""
    config = environ.get("XDG_CONFIG_HOME")
    listing = (Path(config) if config else Path.home() / ".config") / "mimeapps.list"
    if listing.exists():
        lines = listing.read_text(encoding="utf-8").splitlines(keepends=True)
        ours = f"{ACTIVATION}={DESKTOP_FILE}"
        kept = [line for line in lines if line.strip().rstrip(";") != ours]
        files.write_text(listing, "".join(kept))


def _run(tool: str, *arguments: str) -> str:
    """Run one of the desktop's tools, if it is here; its own errors change nothing for us."""
    path = shutil.which(tool)
    if path is None:
        return ""
    return subprocess.run(  # noqa: S603 - fixed tools, and arguments of our own
        [path, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=_TOOL_TIMEOUT,
    ).stdout
