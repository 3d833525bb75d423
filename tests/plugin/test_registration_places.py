"""What registration writes for a whole machine, and the extension it ships."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from plugin.registration import chromium, firefox, freedesktop
from plugin.registration.chromium import SOURCE

ISSUER = "https://portal.example.org"


def test_the_extension_has_the_id_that_the_host_serves() -> None:
    key = json.loads((SOURCE / "manifest.json").read_text())["key"]
    digest = hashlib.sha256(base64.b64decode(key)).hexdigest()[:32]
    letters = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
    assert digest.translate(letters) == chromium.EXTENSION_ID


def test_the_extension_asks_for_nothing_more_than_it_needs() -> None:
    manifest = json.loads((SOURCE / "manifest.json").read_text())
    assert manifest["permissions"] == [
        "declarativeNetRequestWithHostAccess",
        "nativeMessaging",
        "scripting",
        "webNavigation",
        "webRequest",
    ]
    assert manifest["host_permissions"] == []
    assert [script["matches"] for script in manifest["content_scripts"]] == [[]]
    assert "web_accessible_resources" not in manifest
    assert "externally_connectable" not in manifest


def test_every_text_of_the_extension_is_in_its_messages() -> None:
    messages = json.loads((SOURCE / "_locales/en/messages.json").read_text())
    page = (SOURCE / "consent.html").read_text()
    used = {part.split('"')[0] for part in page.split('data-text="')[1:]}
    assert used <= set(messages)
    scripts = "".join(file.read_text() for file in SOURCE.glob("*.js"))
    named = {f"error_{part.split(chr(34))[0]}" for part in scripts.split('failure("')[1:]}
    assert named <= set(messages)
    assert {name.replace("error_", "hint_") for name in named} <= set(messages)
    asked = {part.split('"')[0] for part in scripts.split('getMessage("')[1:]}
    assert {"form_held", "frame_waiting"} <= asked <= set(messages)


def test_its_script_runs_in_the_pages_of_the_issuers_and_in_no_others() -> None:
    manifest = chromium.extension_manifest([ISSUER])
    (script,) = manifest["content_scripts"]
    assert script["matches"] == manifest["host_permissions"] == [chromium.host_permission(ISSUER)]
    # Without any page the browser would not load the extension at all.
    assert chromium.extension_manifest([])["content_scripts"] == []


@pytest.mark.parametrize(
    ("issuer", "pattern"),
    [
        ("https://portal.example.org", "https://portal.example.org:443/*"),
        ("https://localhost:8443", "https://localhost:8443/*"),
        ("https://[::1]:8443", "https://[::1]:8443/*"),
    ],
)
def test_a_permission_always_names_the_port(issuer: str, pattern: str) -> None:
    assert chromium.host_permission(issuer) == pattern


def test_the_whole_machine_can_read_what_the_administrator_registers(tmp_path: Path) -> None:
    written = chromium.register(chromium.Place.of_system(tmp_path), [ISSUER])
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "usr/share/chromium/extensions/handfast",
        "usr/local/lib/handfast/handfast-native-host",
        "etc/chromium/native-messaging-hosts/org.handfast.host.json",
    ]
    for path in tmp_path.rglob("*"):
        wanted = 0o755 if path.is_dir() or path.name == "handfast-native-host" else 0o644
        assert path.stat().st_mode & 0o777 == wanted, path


def test_the_policies_of_an_administrator_keep_their_other_entries(tmp_path: Path) -> None:
    file = tmp_path / "etc/firefox/policies/policies.json"
    file.parent.mkdir(parents=True)
    before = {"policies": {"DisableTelemetry": True, "Handlers": {"mimeTypes": {"a/b": {}}}}}
    file.write_text(json.dumps(before))
    firefox.register_system(tmp_path)
    assert firefox.is_registered_by_policy(tmp_path)
    assert json.loads(file.read_text())["policies"]["DisableTelemetry"] is True
    firefox.unregister_system(tmp_path)
    assert json.loads(file.read_text()) == before


def test_a_policy_file_of_our_own_goes_again(tmp_path: Path) -> None:
    firefox.register_system(tmp_path)
    firefox.unregister_system(tmp_path)
    assert not (tmp_path / "etc/firefox/policies/policies.json").exists()


def test_the_desktop_of_the_whole_machine(tmp_path: Path) -> None:
    place = freedesktop.Place.of_system(tmp_path)
    freedesktop.register(place)
    assert place.desktop_file == tmp_path / "usr/local/share/applications/org.handfast.open.desktop"
    assert "org.handfast.open.desktop" in (place.desktop_file.parent / "mimeinfo.cache").read_text(
        encoding="utf-8"
    )
    freedesktop.unregister(place)
    assert not place.desktop_file.exists()
