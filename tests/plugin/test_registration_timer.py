"""The daily refresh: a timer of the person's systemd, written, examined and taken back."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from plugin import __main__ as handfast
from plugin.device import Device
from plugin.paths import Paths
from plugin.registration import record, timer
from tests.plugin.conftest import Run

UNITS = Path(".config/systemd/user")
analyze = shutil.which("systemd-analyze")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose name is full of what systemd would understand, and no systemd for it."""
    home = tmp_path / 'a $HOME %h "b"'
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HANDFAST_SYSTEM_DIR", str(home / "etc"))
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HANDFAST_HOME"):
        monkeypatch.delenv(name, raising=False)
    return home


@pytest.fixture
def runtime(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A systemd that looks after the person, but does not answer."""
    (home / "run/systemd").mkdir(parents=True)
    (home / "run/systemd/private").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))


def run(*arguments: str) -> int:
    return handfast.main(list(arguments))


def put_systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a `systemctl` before the real one: it does as it is told and knows what it enabled."""
    tool = folder / "systemctl"
    tool.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        '"--user daemon-reload") ;;\n'
        f'"--user enable --now {timer.TIMER_UNIT}") touch "$0.enabled" ;;\n'
        f'"--user is-active --quiet {timer.TIMER_UNIT}") test -e "$0.enabled" ;;\n'
        "*) exit 1 ;;\n"
        "esac\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def finding(capsys: pytest.CaptureFixture[str]) -> dict[str, Any] | None:
    capsys.readouterr()
    run("doctor", "--json")
    found = json.loads(capsys.readouterr().out)
    return next((one for one in found if one["way"] == "Refresh"), None)


def test_a_timer_and_its_service_are_written(home: Path) -> None:
    assert run("register", "--browser", "refresh") == 0
    timer_unit = (home / UNITS / timer.TIMER_UNIT).read_text()
    assert "OnCalendar=daily\n" in timer_unit
    assert "RandomizedDelaySec=" in timer_unit
    assert "Type=oneshot\n" in (home / UNITS / timer.SERVICE_UNIT).read_text()
    (target,) = record.read(Paths.from_environment())
    assert target.kind == "refresh"


@pytest.mark.skipif(analyze is None, reason="systemd's own checker is not installed here")
def test_systemd_reads_the_units(home: Path) -> None:
    run("register", "--browser", "refresh")
    ended = subprocess.run(
        [str(analyze), "--user", "--man=no", "verify", str(home / UNITS / timer.TIMER_UNIT)],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert ended.returncode == 0, ended.stderr
    assert "handfast" not in ended.stderr


def test_no_part_of_the_path_means_anything_to_systemd(home: Path) -> None:
    place = timer.Place.of_person(home)
    (line,) = [
        line
        for line in timer.service_unit(place.program).splitlines()
        if line.startswith("ExecStart=")
    ]
    assert '$$HOME %%h \\"b\\"' in line


def test_the_program_refreshes_without_asking(home: Path) -> None:
    run("register", "--browser", "refresh")
    program = timer.Place.of_person(record.program_folder(Paths.from_environment())).program
    assert program.stat().st_mode & stat.S_IXUSR
    ended = subprocess.run(
        ["/bin/sh", str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "There are no keys on this device yet.\n"


def test_taking_it_back_leaves_nothing(home: Path) -> None:
    run("register", "--browser", "refresh")
    assert run("unregister", "--browser", "refresh") == 0
    left = {file.name for file in home.rglob("*") if file.is_file() or file.is_symlink()}
    assert not {name for name in left if "refresh" in name}
    assert record.read(Paths.from_environment()) == ()


def test_without_systemd_nothing_is_written_unasked(home: Path) -> None:
    run("register")
    assert not (home / UNITS).exists()


@pytest.mark.usefixtures("runtime")
def test_with_systemd_it_is_part_of_registering(home: Path) -> None:
    run("register")
    assert (home / UNITS / timer.TIMER_UNIT).exists()


@pytest.mark.usefixtures("runtime")
def test_a_device_in_a_folder_of_its_own_gets_no_timer_unasked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDFAST_HOME", str(home / "portable"))
    run("register")
    assert not (home / UNITS).exists()


def test_doctor_is_silent_where_there_is_no_systemd(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finding(capsys) is None


@pytest.mark.usefixtures("runtime")
def test_doctor_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = finding(capsys)
    assert one is not None
    assert "does not report to the services by itself" in one["problem"]
    run("register", "--browser", "refresh")
    one = finding(capsys)
    assert one is not None
    assert "the timer does not run" in one["problem"]
    put_systemctl(tmp_path, monkeypatch)
    run("register", "--browser", "refresh")
    one = finding(capsys)
    assert one is not None
    assert (one["problem"], one["works"]) == ("", True)
    Device.open(Paths.from_environment()).store.set_passphrase("correct horse")
    one = finding(capsys)
    assert one is not None
    assert one["works"]
    assert one["problem"] == ""
    assert "passphrase" in one["state"]
    assert "handfast refresh" in one["hint"]


def test_unattended_it_never_asks_for_a_passphrase(paths: Paths, handfast: Run) -> None:
    Device.open(paths).store.set_passphrase("correct horse")
    refused = handfast("refresh", "--unattended")
    assert refused.returncode == 7
    assert "nobody is asked for it now" in refused.stderr
