"""`handfast open`: which files it takes, whom it asks, and what is left of the file."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.files import document_file
from plugin.paths import Paths
from tests.plugin.conftest import REPOSITORY, Run
from tests.plugin.loopback_service import Service


@pytest.fixture
def document(device: Device, service: Service, tmp_path: Path) -> Path:
    file = tmp_path / "activation.handfast"
    file.write_bytes(service.issue())
    return file


@pytest.fixture
def policy(paths: Paths, service: Service) -> Path:
    """The administrator lets this issuer activate without asking."""
    paths.system_dir.mkdir()
    paths.policy.write_text(f'{{"allow_without_consent":["{service.issuer}"]}}')
    return paths.policy


def test_it_activates_and_leaves_no_file(
    document: Path, policy: Path, handfast: Run, service: Service
) -> None:
    done = handfast("open", "--", str(document))
    assert done.returncode == ExitCode.OK
    (words,) = service.words()
    assert " ".join(words) in done.stdout
    assert not document.exists()


def test_keep_leaves_the_file(document: Path, policy: Path, handfast: Run) -> None:
    assert handfast("open", "--keep", str(document)).returncode == ExitCode.OK
    assert document.exists()


def test_without_a_way_to_ask_nothing_happens(
    document: Path, handfast: Run, service: Service
) -> None:
    refused = handfast("open", str(document))
    assert refused.returncode == ExitCode.NO_WAY_TO_ASK
    assert service.requests == []
    assert document.exists()


def test_another_issuer_of_the_policy_changes_nothing(
    document: Path, policy: Path, handfast: Run
) -> None:
    policy.write_text('{"allow_without_consent":["https://other.example"]}')
    assert handfast("open", str(document)).returncode == ExitCode.NO_WAY_TO_ASK


@pytest.mark.parametrize(
    "text", ["", "[]", '{"allow":[]}', '{"allow_without_consent":"https://x"}']
)
def test_a_bad_policy_allows_nobody(text: str, document: Path, policy: Path, handfast: Run) -> None:
    policy.write_text(text)
    assert handfast("open", str(document)).returncode == ExitCode.NO_WAY_TO_ASK


def test_a_policy_that_others_may_write_allows_nobody(
    document: Path, policy: Path, handfast: Run
) -> None:
    policy.chmod(0o666)
    assert handfast("open", str(document)).returncode == ExitCode.NO_WAY_TO_ASK


def test_a_name_like_an_option_is_a_name(
    document: Path, policy: Path, handfast: Run, tmp_path: Path
) -> None:
    document.rename(tmp_path / "--keep")
    assert handfast("open", "--", "--keep").returncode == ExitCode.OK
    assert not (tmp_path / "--keep").exists()


def test_an_altered_document_stays_where_it_is(
    document: Path, policy: Path, handfast: Run, service: Service
) -> None:
    document.write_bytes(document.read_bytes()[:-3] + b"AAA")
    refused = handfast("open", str(document))
    assert refused.returncode == ExitCode.UNTRUSTED
    assert refused.stderr.splitlines()[0].startswith("handfast: error: ")
    assert refused.stderr.splitlines()[1].startswith("handfast: hint: ")
    assert document.exists()
    assert service.requests == []


def test_an_expired_document_is_cleaned_up(
    document: Path, policy: Path, handfast: Run, service: Service
) -> None:
    document.write_bytes(service.issue(age=480))
    refused = handfast("open", str(document))
    assert "handfast: error: the document expired 3 minutes ago" in refused.stderr
    assert not document.exists()


def test_a_link_is_not_followed(document: Path, policy: Path, handfast: Run) -> None:
    link = document.with_name("link.handfast")
    link.symlink_to(document)
    assert handfast("open", str(link)).returncode == ExitCode.UNTRUSTED
    assert link.is_symlink()
    assert document.exists()


def test_a_pipe_does_not_hold_the_handler(document: Path, policy: Path, handfast: Run) -> None:
    pipe = document.with_name("pipe.handfast")
    os.mkfifo(pipe)
    assert handfast("open", str(pipe)).returncode == ExitCode.UNTRUSTED


def test_a_socket_and_a_folder_are_no_documents(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        for path in (tmp_path / "s", tmp_path):
            with pytest.raises(UserError):
                document_file.read(path)


def test_a_file_of_somebody_else_is_not_read(
    document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(UserError, match="somebody else"):
        document_file.read(document)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large.handfast"
    large.write_bytes(b"a" * 65537)
    with pytest.raises(UserError, match="too large"):
        document_file.read(large)


def test_a_file_put_in_its_place_meanwhile_stays(document: Path) -> None:
    found = document_file.read(document)
    other = document.with_name("other")
    other.write_bytes(b"precious")
    other.rename(document)
    assert not found.unlink()
    assert document.read_bytes() == b"precious"


@pytest.mark.parametrize("name", ["a\nb.handfast", "\x1b[31mred.handfast"])
def test_a_hostile_name_is_shown_harmlessly(name: str, handfast: Run, tmp_path: Path) -> None:
    refused = handfast("open", "--", name)
    assert len(refused.stderr.splitlines()) == 2
    assert "\x1b" not in refused.stderr


def test_opening_finishes_what_an_earlier_start_left(
    document: Path, policy: Path, handfast: Run, service: Service, device: Device, tmp_path: Path
) -> None:
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": "device.confirm.sent"}
    handfast("open", str(document), **crash)
    (record,) = device.pending()
    while device.clock() == record.created:
        # Times are whole seconds: what was begun in this one may be another handler's work.
        time.sleep(0.05)
    second = tmp_path / "second.handfast"
    second.write_bytes(service.issue("contacts"))
    assert handfast("open", str(second)).returncode == ExitCode.OK
    assert {key.words for key in device.store.read().keys} == service.words()
    assert len(service.words()) == 2


def test_on_a_full_disk_nothing_is_confirmed(
    document: Path, policy: Path, paths: Paths, service: Service, handfast: Run, tmp_path: Path
) -> None:
    before = paths.store.read_bytes()
    environment = {
        "HANDFAST_HOME": str(paths.data_dir.parent),
        "HANDFAST_SYSTEM_DIR": str(paths.system_dir),
    }
    # A limit of no blocks per file refuses every write to one, as a full disk does.
    command = f"ulimit -f 0; exec {sys.executable} -m plugin open --keep {document}"
    full = subprocess.run(
        ["bash", "-c", command],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    assert full.returncode == ExitCode.STORE
    assert "cannot write the key store" in full.stderr
    assert paths.store.read_bytes() == before
    assert [path for path, _body in service.requests] == ["/init"]
    assert handfast("open", str(document)).returncode == ExitCode.OK


def test_a_bad_document_makes_nothing_go_on(
    document: Path, policy: Path, handfast: Run, service: Service, device: Device
) -> None:
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": "device.pending.stored"}
    handfast("open", "--keep", str(document), **crash)
    asked = len(service.requests)
    document.write_bytes(document.read_bytes()[:-3] + b"AAA")
    assert handfast("open", str(document)).returncode == ExitCode.UNTRUSTED
    assert len(service.requests) == asked
    assert len(device.pending()) == 1
