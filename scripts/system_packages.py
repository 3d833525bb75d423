"""What the operating system has to bring: we look for the programs, not for packages."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class MissingError(Exception):
    """Something has to be installed and we may not do it ourselves."""

    def __init__(self, what: str, hint: str) -> None:
        """Keep both sentences apart: the error and the hint."""
        super().__init__(what)
        self.what = what
        self.hint = hint


@dataclass(frozen=True)
class Need:
    """One thing that must be there, how to see it, and the Debian package that brings it."""

    what: str
    package: str
    present: Callable[[], bool]


def provide(goal: str) -> None:
    """Install what the goal lacks, or raise MissingError with the exact command to type."""
    missing = [need for need in needs(goal) if not need.present()]
    if not missing:
        return
    what = ", ".join(need.what for need in missing)
    packages = sorted({need.package for need in missing})
    prefix = way_to_become_root()
    if shutil.which("apt-get") is None:
        raise MissingError(
            f"this machine lacks {what}",
            "set-up by itself works on Debian 12 and its relatives; here, install what brings "
            f"these (in Debian they are called {' '.join(packages)}) and try again",
        )
    if prefix is None:
        command = "apt-get install --no-install-recommends " + " ".join(packages)
        raise MissingError(f"this machine lacks {what}", f"as root (or with sudo), run: {command}")
    install(prefix, packages)
    still = [need.what for need in missing if not need.present()]
    if still:
        raise MissingError(
            f"apt-get went through, but this is still not found: {', '.join(still)}",
            "see its output above",
        )


def needs(goal: str) -> list[Need]:
    """The programs that a goal uses: a linter run needs no browser."""
    wanted = [Need("the venv module of python", venv_package(), has_venv)]
    if goal in ("demo", "test", "all"):
        wanted += [
            Need("chromium", "chromium", on_path("chromium")),
            Need("a font", "fonts-dejavu-core", has_font),
            Need("certutil", "libnss3-tools", on_path("certutil")),
            # The browser's driver is a program built against it.
            Need("libatomic", "libatomic1", has_library("libatomic.so.1")),
        ]
    if goal in ("test", "all"):
        wanted += [
            Need("a PostgreSQL server", "postgresql", has_postgresql),
            Need("Dovecot", "dovecot-imapd", has_dovecot),
            Need("Dovecot's LMTP", "dovecot-lmtpd", lambda: Path("/usr/lib/dovecot/lmtp").exists()),
            Need("Postfix", "postfix", on_path("postfix")),
            Need("Firefox", "firefox-esr", on_path("firefox-esr")),
            Need("Xvfb", "xvfb", on_path("Xvfb")),
            Need("update-mime-database", "shared-mime-info", on_path("update-mime-database")),
            Need("desktop-file-validate", "desktop-file-utils", on_path("desktop-file-validate")),
            Need("xdg-mime", "xdg-utils", on_path("xdg-mime")),
            # Outside of a desktop session xdg-mime asks this one about a file.
            Need("mimetype", "libfile-mimeinfo-perl", on_path("mimetype")),
            Need("gio", "libglib2.0-bin", on_path("gio")),
            # Systemd need not run: its tools check our units and hand over a socket.
            Need("systemd-analyze", "systemd", on_path("systemd-analyze")),
            Need("systemd-socket-activate", "systemd", on_path("systemd-socket-activate")),
            # Completion is tried in each shell it is made for, and the manual page is read.
            Need("zsh", "zsh", on_path("zsh")),
            Need("fish", "fish", on_path("fish")),
            Need("man", "man-db", on_path("man")),
        ]
    return wanted


def on_path(program: str) -> Callable[[], bool]:
    """A test for a program, in the folders of the system's administrator too."""
    return lambda: shutil.which(program, path=search_path()) is not None


def has_library(name: str) -> Callable[[], bool]:
    """A test for a shared library, by asking the loader."""

    def present() -> bool:
        try:
            ctypes.CDLL(name)
        except OSError:
            return False
        return True

    return present


def search_path() -> str:
    """PATH and the sbin folders, which an ordinary person's PATH leaves out."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin"])


def has_venv() -> bool:
    """Debian splits ensurepip off into a package of its own; venv alone cannot work without."""
    return all(importlib.util.find_spec(name) is not None for name in ("venv", "ensurepip"))


def venv_package() -> str:
    """The package that belongs to the interpreter which runs this."""
    return f"python3.{sys.version_info.minor}-venv"


def has_postgresql() -> bool:
    """Debian keeps the server's programs off PATH, in a folder per version."""
    return any(Path("/usr/lib/postgresql").glob("*/bin/postgres")) or on_path("postgres")()


def has_dovecot() -> bool:
    """The IMAP part is a package of its own beside the core."""
    return on_path("dovecot")() and Path("/usr/lib/dovecot/imap").exists()


def has_font() -> bool:
    """Chromium draws empty boxes where no font is installed."""
    folders = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
    return any(any(folder.glob("**/*.[to]tf")) for folder in folders)


def way_to_become_root() -> list[str] | None:
    """Nothing for root, sudo where it asks no password, None where a person must do it."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    asked = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
    return ["sudo", "-n"] if asked.returncode == 0 else None


# Servers are wanted for their programs only: packages must not start them, now or at the next boot.
INSTALL = """
set -eu
PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
fi
apt-get --quiet update
apt-get --quiet install --yes --no-install-recommends "$@"
if command -v systemctl >/dev/null; then
    for package in "$@"; do
        case "$package" in
            postgresql) systemctl --quiet disable postgresql || true ;;
            dovecot-imapd) systemctl --quiet disable dovecot || true ;;
            postfix) systemctl --quiet disable postfix || true ;;
        esac
    done
fi
"""


def install(prefix: list[str], packages: list[str]) -> None:
    """Install with apt-get, asking no questions; its many words are shown only if it fails."""
    print(f"handfast: set-up: installing {', '.join(packages)}", file=sys.stderr, flush=True)
    command = [*prefix, "/bin/sh", "-c", INSTALL, "install", *packages]
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout)
        names = " ".join(packages)
        raise MissingError(
            f"apt-get could not install {names}", "its own words are above; mend that and try again"
        )
