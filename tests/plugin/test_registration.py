"""`handfast register`, `unregister` and `doctor`, with the machine's own tools."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugin import __main__ as handfast
from plugin import registration
from plugin.device import Device
from plugin.paths import Paths
from plugin.registration import chromium, freedesktop
from tests.e2e.bridge.small_service import SmallService

ISSUER = "https://portal.example.org:8443"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's home with nothing in it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HANDFAST_SYSTEM_DIR", str(tmp_path / "etc"))
    # The systemd of whoever runs the tests has nothing to do with this home.
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return tmp_path


def run(*arguments: str) -> int:
    return handfast.main(list(arguments))


def files_below(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def extension(home: Path) -> Path:
    return home / ".local/share/handfast/registration/chromium"


def permissions(home: Path) -> list[str]:
    manifest = json.loads((extension(home) / "manifest.json").read_text())
    allowed: list[str] = manifest["host_permissions"]
    return allowed


def test_chromium_learns_which_program_and_which_extension(home: Path) -> None:
    assert run("register", "--browser", "chromium", "--issuer", ISSUER) == 0
    manifest = home / ".config/chromium/NativeMessagingHosts/org.handfast.host.json"
    host = json.loads(manifest.read_text())
    assert host["allowed_origins"] == [chromium.EXTENSION_ORIGIN]
    launcher = Path(host["path"])
    assert launcher.is_absolute()
    ended = subprocess.run([launcher], capture_output=True, check=False, cwd="/")
    assert ended.returncode == 2
    assert b"started by the browser" in ended.stderr


def test_the_extension_may_act_on_the_trusted_portals_and_their_port_only(home: Path) -> None:
    run("register", "--browser", "chromium", "--issuer", ISSUER)
    run("register", "--browser", "chromium", "--issuer", "https://other.example")
    assert permissions(home) == ["https://other.example:443/*"]
    run("register", "--user-data-dir", str(home / "second"), "--issuer", ISSUER)
    assert permissions(home) == [
        "https://other.example:443/*",
        "https://portal.example.org:8443/*",
    ]


def test_without_any_trust_the_extension_may_act_nowhere(home: Path) -> None:
    run("register", "--browser", "chromium")
    assert permissions(home) == []


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ((), "Next: handfast trust add https://…"),
        (("--issuer", ISSUER), f"Next: handfast trust add {ISSUER}"),
    ],
    ids=["no portal", "a portal"],
)
def test_without_any_trust_it_says_how_to_begin(
    named: tuple[str, ...], told: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("register", "--browser", "chromium", *named)
    assert told in capsys.readouterr().err


def test_with_trust_nothing_is_left_to_say(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device = Device.open(Paths.from_environment())
    SmallService(ISSUER, "http://exchange.example").become_trusted_by(device)
    run("register", "--browser", "chromium")
    assert "trust add" not in capsys.readouterr().err


def test_trusting_another_portal_renews_the_extension(home: Path) -> None:
    run("register", "--browser", "chromium")
    device = Device.open(Paths.from_environment())
    SmallService(ISSUER, "http://exchange.example").become_trusted_by(device)
    assert registration.refresh(device) is True
    assert permissions(home) == ["https://portal.example.org:8443/*"]


def test_without_a_registration_nothing_is_renewed(home: Path) -> None:
    assert registration.refresh(Device.open(Paths.from_environment())) is False
    assert files_below(home) == set()


def test_the_profile_stays_private(home: Path) -> None:
    run("register", "--user-data-dir", str(home / "profile"))
    assert (home / "profile").stat().st_mode & 0o077 == 0


def test_unregister_removes_exactly_what_register_wrote(home: Path) -> None:
    profile = home / "firefox"
    profile.mkdir()
    before = {"schemes": {"mailto": {"action": 4}}, "mimeTypes": {"text/x": {"action": 0}}}
    (profile / "handlers.json").write_text(json.dumps(before))
    (home / ".config/chromium").mkdir(parents=True)
    (home / ".config/chromium/Local State").write_text("{}")
    untouched = files_below(home)
    run("register", "--browser", "chromium")
    run("register", "--browser", "desktop")
    run("register", "--profile", str(profile))
    run("register", "--user-data-dir", str(home / "second"))
    assert run("unregister", "--user-data-dir", str(home / "second")) == 0
    assert extension(home).is_dir()
    assert run("unregister") == 0
    left = {
        file
        for file in files_below(home) - untouched
        # What the desktop's own tools make, and keep making, is theirs.
        if not file.startswith((".local/share/mime/", ".local/share/applications/mimeinfo"))
        and file != ".config/mimeapps.list"
    }
    assert left == set()
    after = json.loads((profile / "handlers.json").read_text())
    assert after == {**before, "defaultHandlersVersion": {}}
    assert "handfast" not in (home / ".config/mimeapps.list").read_text()
    assert not list(home.rglob("*handfast*.xml"))


def test_the_desktop_opens_our_files_with_the_handler(home: Path) -> None:
    run("register", "--browser", "desktop")
    document = home / "activation.handfast"
    document.write_text("a.b.c")
    assert tool("xdg-mime", "query", "filetype", str(document)) == (
        "application/vnd.handfast.activation+jwt"
    )
    assert freedesktop.default_application() == freedesktop.DESKTOP_FILE
    place = freedesktop.Place.of_person(home)
    assert tool("desktop-file-validate", str(place.desktop_file)) == ""


@pytest.mark.parametrize("name", ["plain", "with space", 'quote"$`\\', "per%cent", "ünïcode"])
def test_the_desktop_starts_the_program_whatever_its_folder_is_called(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desktop's own parser reads the line and starts a program that leaves a sign."""
    folder = home / name
    folder.mkdir()
    program, sign = folder / "open", home / "sign"
    program.write_text(f'#!/bin/sh\necho "$1" > {sign}\n')
    program.chmod(0o755)
    entry = home / "test.desktop"
    entry.write_text(freedesktop.desktop_entry(program, folder / "icon.png"))
    subprocess.run(["gio", "launch", entry, home / "a.handfast"], check=True, timeout=20)
    assert wait_for_text(sign) == f"{home}/a.handfast\n"


def test_a_folder_name_cannot_add_a_line_to_the_launcher() -> None:
    with pytest.raises(ValueError, match="control character"):
        freedesktop.desktop_entry(Path("/a\nExec=evil"), Path("/icon.png"))


def test_the_launcher_keeps_the_home_it_was_registered_with(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDFAST_HOME", str(home / "it's mine"))
    run("register", "--user-data-dir", str(home / "profile"))
    launcher = home / "it's mine/data/registration/handfast-native-host"
    assert "export HANDFAST_HOME='" in launcher.read_text()
    assert subprocess.run([launcher], check=False, capture_output=True).returncode == 2


@pytest.mark.parametrize(
    "issuer", ["http://x.example", "https://x.example/path", "*", "<all_urls>"]
)
def test_only_a_portal_can_be_an_issuer(
    home: Path, issuer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("register", "--browser", "chromium", "--issuer", issuer) == 2
    assert "is not the address of a portal" in capsys.readouterr().err
    assert files_below(home) == set()


def test_a_folder_of_another_browser_is_refused(home: Path) -> None:
    assert run("register", "--browser", "firefox", "--user-data-dir", str(home)) == 2


def test_a_damaged_list_of_handlers_is_left_alone(home: Path) -> None:
    (home / "handlers.json").write_text("[damaged")
    assert run("register", "--profile", str(home)) == 1
    assert (home / "handlers.json").read_text() == "[damaged"


def doctor(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the doctor's word on each way, by name."""
    capsys.readouterr()
    run("doctor", "--json")
    return {finding["way"]: finding for finding in json.loads(capsys.readouterr().out)}


def test_the_doctor_names_what_is_missing_step_by_step(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(capsys)["Chromium"]["problem"] == "the browser does not know the handler"
    assert "handfast register" in doctor(capsys)["Chromium"]["hint"]
    run("register", "--browser", "chromium")
    assert doctor(capsys)["Chromium"]["problem"] == "this device trusts no service"
    run("register", "--browser", "chromium", "--issuer", ISSUER)
    assert doctor(capsys)["Chromium"]["problem"] == "the browser has not loaded the extension"
    (extension(home) / "worker.js").write_text("")
    assert "another version" in doctor(capsys)["Chromium"]["problem"]
    Path(home / ".local/share/handfast/registration/handfast-native-host").unlink()
    assert doctor(capsys)["Chromium"]["problem"] == "the handler's program does not start"


def test_the_doctor_is_content_with_a_registered_desktop(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not doctor(capsys)["Desktop"]["works"]
    run("register", "--browser", "desktop")
    assert doctor(capsys)["Desktop"]["works"]


def test_the_doctor_believes_firefox_once_it_has_our_entry(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = home / ".mozilla/firefox/abc.default"
    profile.mkdir(parents=True)
    (profile.parent / "profiles.ini").write_text("[Profile0]\nIsRelative=1\nPath=abc.default\n")
    assert not doctor(capsys)["Firefox"]["works"]
    run("register", "--browser", "firefox")
    assert doctor(capsys)["Firefox"]["works"]


def test_the_doctor_ends_with_unfinished_while_something_is_left_to_do(home: Path) -> None:
    assert run("doctor") == 5


def tool(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, check=True, text=True, timeout=20)
    return ended.stdout.strip()


def wait_for_text(file: Path) -> str:
    waiting = f"import time\nwhile not open({str(file)!r}).read(): time.sleep(0.05)"
    file.touch()
    subprocess.run([sys.executable, "-c", waiting], check=True, timeout=10)
    return file.read_text()
