"""What is in the wheel, and that everybody who builds it gets the same one."""

import email
import hashlib
import re
import subprocess
import zipfile
from pathlib import Path

from plugin.device import HANDLER, VERSION
from tests.wheel.conftest import ROOT, build


def content(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata(wheel: Path) -> "email.message.Message[str, str]":
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_the_same_sources_make_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    again = build(tmp_path, TZ="Asia/Kathmandu", PYTHONHASHSEED="7", HOME=str(tmp_path))
    assert hashlib.sha256(again.read_bytes()).hexdigest() == (
        hashlib.sha256(wheel.read_bytes()).hexdigest()
    )


def test_a_person_s_own_mode_of_files_is_not_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        modes = {entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    # Its list of content is written by the tool, which gives it the group's right as well.
    assert modes <= {0o644, 0o664}


def test_a_newer_wheel_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    old = tmp_path / "handfast-0.0.1-py3-none-any.whl"
    old.touch()
    other = tmp_path / "notes.txt"
    other.touch()
    assert {build(tmp_path), other} == set(tmp_path.iterdir())


def test_it_holds_all_of_the_device_and_nothing_else(wheel: Path) -> None:
    packed = {name for name in content(wheel) if ".dist-info/" not in name}
    kept = ("--cached", "--others", "--exclude-standard")
    sources = subprocess.run(
        ["git", "ls-files", *kept, "handfast", "plugin", "protocol"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    expected = {
        name if name.startswith("handfast/") else f"handfast/_inside/{name}"
        for name in sources
        # Sources of catalogues are compiled, and babel's list of them is for us.
        if not name.endswith((".po", ".pot", ".cfg")) and (ROOT / name).is_file()
    }
    expected.add(f"handfast-{VERSION}.data/data/share/man/man1/handfast.1")
    assert expected - packed == set()
    odd = {name for name in packed - expected if not name.endswith(".mo")}
    assert odd == set()


def test_its_dependencies_are_the_device_s(wheel: Path) -> None:
    wanted = (ROOT / "requirements/device.in").read_text().split()
    assert metadata(wheel).get_all("Requires-Dist") == wanted
    pinned = (ROOT / "requirements-device.txt").read_text()
    assert [one for one in wanted if f"\n{re.split('[><=]', one)[0]}==" not in pinned] == []


def test_its_version_is_what_the_device_calls_itself(wheel: Path) -> None:
    version = metadata(wheel)["Version"]
    assert f"handfast {version}" == HANDLER
    assert wheel.name == f"handfast-{version}-py3-none-any.whl"
