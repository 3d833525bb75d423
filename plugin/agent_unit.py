"""The agent under systemd: a socket of the person's session starts it when a program asks."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from plugin.agent_socket import socket_path
from plugin.paths import Paths
from plugin.registration import files
from plugin.registration.program import Program
from plugin.registration.record import program_folder

SOCKET_UNIT: Final = "handfast-agent.socket"
_SERVICE_UNIT: Final = "handfast-agent.service"
_PROGRAM: Final = Program("handfast-agent", ("plugin", "agent"), 0)
_TOOL_TIMEOUT: Final = 30

_SOCKET: Final = """\
[Unit]
Description=Handfast: keys for programs of this person

[Socket]
ListenStream={socket}
SocketMode=0600
DirectoryMode=0700

[Install]
WantedBy=sockets.target
"""
_SERVICE: Final = """\
[Unit]
Description=Handfast: keys for programs of this person
Requires={socket_unit}

[Service]
ExecStart={program}
"""


def unit_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Where units of one person are."""
    config = environ.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "systemd/user"


def install(paths: Paths) -> tuple[list[Path], bool]:
    """Write program and units; return them, and whether systemd listens now."""
    program = _PROGRAM.write(program_folder(paths))
    folder = unit_folder()
    service = _SERVICE.format(socket_unit=SOCKET_UNIT, program=_escaped(program))
    written = [
        program,
        files.write_text(folder / SOCKET_UNIT, _SOCKET.format(socket=_escaped(socket_path(paths)))),
        files.write_text(folder / _SERVICE_UNIT, service),
    ]
    return written, _systemctl("daemon-reload") and _systemctl("enable", "--now", SOCKET_UNIT)


def remove(paths: Paths) -> list[Path]:
    """Stop listening and delete what `install` wrote; return what went."""
    folder = unit_folder()
    if (folder / SOCKET_UNIT).exists():
        _systemctl("disable", "--now", SOCKET_UNIT, _SERVICE_UNIT)
    gone = [
        *files.remove(folder / SOCKET_UNIT),
        *files.remove(folder / _SERVICE_UNIT),
        *files.remove(program_folder(paths) / _PROGRAM.name),
    ]
    _systemctl("daemon-reload")
    return gone


def _escaped(path: Path) -> str:
    """The path as a unit has it: a percent sign would begin one of systemd's own words."""
    return str(path).replace("%", "%%")


def _systemctl(*arguments: str) -> bool:
    tool = shutil.which("systemctl")
    if tool is None:
        return False
    try:
        ended = subprocess.run(  # noqa: S603 - a fixed tool, and arguments of our own
            [tool, "--user", *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_TOOL_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return False
    return ended.returncode == 0
