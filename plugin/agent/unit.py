"""The agent under systemd: a socket of the person's session starts it when a program asks."""

from pathlib import Path
from typing import Final

from plugin.agent.place import socket_path
from plugin.paths import Paths
from plugin.registration import systemd
from plugin.registration.program import Program
from plugin.registration.record import program_folder

SOCKET_UNIT: Final = "handfast-agent.socket"
_SERVICE_UNIT: Final = "handfast-agent.service"
_PROGRAM: Final = Program("handfast-agent", ("plugin", "agent"), 0, writer="handfast agent install")

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
# The script is sh's argument: systemd replaces nothing in the name of its program, but elsewhere.
_SERVICE: Final = """\
[Unit]
Description=Handfast: keys for programs of this person
Requires={socket_unit}

[Service]
ExecStart=/bin/sh {program}
"""


def install(paths: Paths) -> tuple[list[Path], bool]:
    """Write program and units; return them, and whether systemd listens now."""
    program = _PROGRAM.write(program_folder(paths))
    folder = systemd.unit_folder()
    socket = folder / SOCKET_UNIT
    units = {
        socket: _SOCKET.format(socket=systemd.escaped(socket_path(paths))),
        folder / _SERVICE_UNIT: _SERVICE.format(
            socket_unit=SOCKET_UNIT, program=systemd.argument(program)
        ),
    }
    written, listens = systemd.install(units, socket)
    return [program, *written], listens


def remove(paths: Paths) -> list[Path]:
    """Stop listening and delete what `install` wrote; return what went."""
    folder = systemd.unit_folder()
    units = (folder / SOCKET_UNIT, folder / _SERVICE_UNIT)
    return systemd.remove(units, program_folder(paths) / _PROGRAM.name)
