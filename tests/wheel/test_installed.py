"""The installed device does its work where no checkout is, beside packages with our names."""

import json
import re
import shlex
import struct
import subprocess
from pathlib import Path

import pytest

from plugin.bridge import EXTENSION_ORIGIN
from tests.plugin.loopback_service import Service
from tests.wheel.conftest import DECOY, ROOT, Installed

SERVER_ONLY = (
    "app",
    "flask",
    "sqlalchemy",
    "granian",
    "joserfc",
    "alembic",
    "imapclient",
    "jinja2",
)


@pytest.fixture
def settings(tmp_path: Path, service: Service) -> dict[str, str]:
    """A device's own folders, and an administrator who lets the service activate unasked."""
    system = tmp_path / "etc"
    system.mkdir()
    (system / "policy.json").write_text(json.dumps({"allow_without_consent": [service.issuer]}))
    return {"HANDFAST_HOME": str(tmp_path / "handfast"), "HANDFAST_SYSTEM_DIR": str(system)}


@pytest.fixture
def trusting(device: Installed, service: Service, settings: dict[str, str]) -> dict[str, str]:
    """The settings of a device that trusts the service, by its own command."""
    by = ("--ca-file", str(service.ca_file), "--fingerprint", service.bundle.fingerprint)
    done = device.run("handfast", "trust", "add", service.issuer, *by, **settings)
    assert done.returncode == 0, done.stderr
    return settings


def test_help_is_there_by_either_name(device: Installed) -> None:
    python = str(device.environment_folder / "bin/python")
    for command in (("handfast",), (python, "-m", "handfast")):
        done = device.run(*command, "--help")
        assert done.returncode == 0, done.stderr
        assert "usage: handfast" in done.stdout


def test_the_manual_page_is_where_pipx_puts_them(device: Installed) -> None:
    done = device.run("man", "--manpath", str(device.folder / "man"), "--where", "handfast")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "handfast.1"


def test_a_shell_completes_the_installed_command(device: Installed, tmp_path: Path) -> None:
    answer = tmp_path / "answer"
    asked = {"_ARGCOMPLETE": "1", "COMP_LINE": "handfast activ", "COMP_POINT": "14"}
    device.run("handfast", **asked, _ARGCOMPLETE_STDOUT_FILENAME=str(answer))
    assert answer.read_text().strip() == "activate"


def test_nothing_of_the_server_came_along(device: Installed) -> None:
    names = {path.name.lower().partition("-")[0] for path in device.modules.iterdir()}
    assert names & set(SERVER_ONLY) == set()
    assert {"handfast", "cryptography", "msgspec"} <= names


def test_nothing_that_was_installed_names_the_checkout(device: Installed) -> None:
    for path in [*device.modules.glob("handfast*/**/*"), *device.modules.glob("*.pth")]:
        if path.is_file() and path.suffix != ".pyc":
            assert str(ROOT).encode() not in path.read_bytes(), path


def test_a_document_becomes_a_key(
    device: Installed, service: Service, trusting: dict[str, str], tmp_path: Path
) -> None:
    document = tmp_path / "activation.handfast"
    document.write_bytes(service.issue())
    done = device.run("handfast", "open", "--", str(document), **trusting)
    assert done.returncode == 0, done.stderr
    (words,) = service.words()
    assert " ".join(words) in done.stdout


def test_what_register_writes_starts_from_any_folder(
    device: Installed, trusting: dict[str, str], service: Service, tmp_path: Path
) -> None:
    where = ("--user-data-dir", str(tmp_path / "profile"))
    assert device.run("handfast", "register", *where, **trusting).returncode == 0
    (manifest,) = tmp_path.rglob("org.handfast.host.json")
    host = json.loads(manifest.read_text())["path"]
    with subprocess.Popen(
        [host, EXTENSION_ORIGIN],
        cwd="/",
        # A browser gives no PYTHONPATH; a person's own must not lead to somebody else's modules.
        env={**device.environment(), "PYTHONPATH": str(decoys(tmp_path))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        message = {"type": "document", "origin": service.issuer}
        body = json.dumps({**message, "document": service.issue().decode()}).encode()
        frames, _ = process.communicate(struct.pack("=I", len(body)) + body, timeout=30)
    assert [frame["type"] for frame in unframed(frames)][:2] == ["progress", "consent"]


def test_the_desktop_s_program_opens_a_document(
    device: Installed, service: Service, trusting: dict[str, str], tmp_path: Path
) -> None:
    shared = {**trusting, "XDG_DATA_HOME": str(tmp_path / "share")}
    done = device.run("handfast", "register", "--browser", "desktop", **shared)
    assert done.returncode == 0, done.stderr
    (entry,) = tmp_path.rglob("org.handfast.open.desktop")
    launcher = re.search(r'^Exec=/bin/sh "([^"]+)"', entry.read_text(), re.M)
    assert launcher is not None
    document = tmp_path / "activation.handfast"
    document.write_bytes(service.issue())
    done = device.run(launcher[1], str(document))
    assert done.returncode == 0, done.stderr
    assert len(service.words()) == 1


def test_the_timer_s_program_reports_in(
    device: Installed, service: Service, trusting: dict[str, str], tmp_path: Path
) -> None:
    document = tmp_path / "activation.handfast"
    document.write_bytes(service.issue())
    assert device.run("handfast", "open", str(document), **trusting).returncode == 0
    units = {**trusting, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = device.run("handfast", "register", "--browser", "refresh", **units)
    assert done.returncode == 0, done.stderr
    service.requests.clear()
    done = device.run("/bin/sh", started_by(tmp_path, "handfast-refresh.service"))
    assert done.returncode == 0, done.stderr
    assert "/packet" in [path for path, _ in service.requests]


def test_the_agent_s_program_starts(
    device: Installed, trusting: dict[str, str], tmp_path: Path
) -> None:
    units = {**trusting, "XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert device.run("handfast", "agent", "install", **units).returncode == 0
    done = device.run(started_by(tmp_path, "handfast-agent.service"), "where")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("/")


def test_a_stranger_s_packages_of_our_names_are_neither_used_nor_touched(
    device: Installed,
) -> None:
    start = device.modules / "stranger.pth"
    # Some packages are imported by the environment itself, before anything of ours runs.
    start.write_text("import sys, types; sys.modules['plugin'] = types.ModuleType('plugin')\n")
    try:
        done = device.run("handfast", "--version")
    finally:
        start.unlink()
    assert (done.returncode, done.stdout[:9]) == (0, "handfast "), done.stderr
    for name in ("plugin", "protocol"):
        assert (device.modules / name / "__init__.py").read_text() == DECOY


def test_the_programs_that_it_starts_get_no_path_of_ours(
    device: Installed, trusting: dict[str, str], tmp_path: Path
) -> None:
    where = ("--user-data-dir", str(tmp_path / "profile"))
    assert device.run("handfast", "register", *where, **trusting).returncode == 0
    (manifest,) = tmp_path.rglob("org.handfast.host.json")
    script = Path(json.loads(manifest.read_text())["path"]).read_text()
    assert "PYTHONPATH" not in script


def started_by(folder: Path, unit: str) -> str:
    """Return the path of the script that a unit of systemd below the folder starts."""
    (file,) = folder.rglob(unit)
    line = re.search(r"^ExecStart=(.*)$", file.read_text(), re.M)
    assert line is not None
    return shlex.split(line[1])[-1]


def decoys(folder: Path) -> Path:
    """Return a folder of modules that end whoever imports them."""
    for name in ("plugin", "protocol"):
        (folder / "decoys" / name).mkdir(parents=True)
        (folder / "decoys" / name / "__init__.py").write_text(DECOY)
    return folder / "decoys"


def unframed(data: bytes) -> list[dict[str, object]]:
    """Return the messages that a native host sent."""
    messages = []
    while data:
        (length,) = struct.unpack("=I", data[:4])
        messages.append(json.loads(data[4 : 4 + length]))
        data = data[4 + length :]
    return messages
