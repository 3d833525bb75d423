"""A timer of the person's systemd that reports in once a day, at a moment of its own."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from plugin.errors import ExitCode
from plugin.registration import systemd
from plugin.registration.program import Program

TIMER_UNIT: Final = "handfast-refresh.timer"
SERVICE_UNIT: Final = "handfast-refresh.service"
REFRESH: Final = Program("handfast-refresh", ("plugin", "refresh", "--unattended"), ExitCode.OK)
_CHECK_TIMEOUT: Final = 20

_TIMER: Final = """\
[Unit]
Description=Handfast: report to the services once a day

[Timer]
OnCalendar=daily
RandomizedDelaySec=12h
Persistent=true

[Install]
WantedBy=timers.target
"""
# The script is sh's argument: systemd replaces nothing in the name of its program, but elsewhere.
_SERVICE: Final = """\
[Unit]
Description=Handfast: report to the services

[Service]
Type=oneshot
ExecStart=/bin/sh {program}
SuccessExitStatus={unfinished} {refused} {locked}
"""


@dataclass(frozen=True)
class Place:
    """The folder of the person's units, and that of our programs."""

    units: Path
    programs: Path

    @classmethod
    def of_person(cls, programs: Path) -> "Place":
        """The folders of the person who runs this."""
        return cls(systemd.unit_folder(), programs)

    @property
    def timer(self) -> Path:
        return self.units / TIMER_UNIT

    @property
    def service(self) -> Path:
        return self.units / SERVICE_UNIT

    @property
    def program(self) -> Path:
        return self.programs / REFRESH.name


def register(place: Place) -> tuple[list[Path], bool]:
    """Write program and units; return them, and whether the timer runs now."""
    program = REFRESH.write(place.programs)
    units = {place.service: service_unit(program), place.timer: _TIMER}
    written, runs = systemd.install(units, place.timer)
    return [program, *written], runs


def unregister(place: Place) -> list[Path]:
    """Stop the timer and delete what `register` wrote; return what went."""
    return systemd.remove((place.timer, place.service), place.program)


def service_unit(program: Path) -> str:
    """Return the unit that reports in once; without a network it has not failed."""
    return _SERVICE.format(
        program=systemd.argument(program),
        unfinished=int(ExitCode.UNFINISHED),
        refused=int(ExitCode.REFUSED_BY_SERVICE),
        locked=int(ExitCode.STORE),
    )


def is_written(place: Place) -> bool:
    """Whether both units are there and start this version's program."""
    try:
        written = place.service.read_text(encoding="utf-8")
    except OSError:
        return False
    return written == service_unit(place.program) and place.timer.exists()


def runs() -> bool:
    """Whether systemd waits for the next day's report."""
    return systemd.control("is-active", "--quiet", TIMER_UNIT)


def program_starts(place: Place) -> bool:
    """Whether the script finds our code; it only says its help."""
    try:
        ended = subprocess.run(  # noqa: S603 - the path is ours, the argument is fixed
            [str(place.program), "--help"],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_CHECK_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ended.returncode == 0
