"""Consent on a real terminal: only a clear yes is one, and nothing hostile reaches the screen."""

import os
import time
from pathlib import Path

import pytest

from plugin.device import Device
from plugin.errors import ExitCode
from plugin.paths import Paths
from plugin.person import prompt
from plugin.person.short_id import short_id
from plugin.person.terminal import plain
from plugin.person.wording import ConsentRequest, consent_lines
from tests.plugin.conftest import Run, environment
from tests.plugin.loopback_service import Service
from tests.plugin.on_terminal import on_terminal


@pytest.fixture
def document(device: Device, service: Service, tmp_path: Path) -> Path:
    file = tmp_path / "activation.handfast"
    file.write_bytes(service.issue("mail", "calendar"))
    return file


def test_yes_on_a_terminal_activates(document: Path, paths: Paths, service: Service) -> None:
    status, shown = on_terminal([("Allow?", "y")], "open", str(document), env=environment(paths))
    assert status == ExitCode.OK
    assert service.issuer in shown
    assert service.bundle.fingerprint in shown
    assert "ann@example.org (mail, calendar)" in shown
    assert len(service.words()) == 2


@pytest.mark.parametrize("answer", ["", "n", "yes please", "allow"])
def test_anything_else_is_a_refusal(
    answer: str, document: Path, paths: Paths, service: Service
) -> None:
    status, shown = on_terminal([("Allow?", answer)], "open", str(document), env=environment(paths))
    assert status == ExitCode.REFUSED_BY_PERSON
    assert "you refused" in shown
    assert service.requests == []


def test_removing_a_key_names_it_and_asks(
    document: Path, paths: Paths, service: Service, device: Device
) -> None:
    on_terminal([("Allow?", "y")], "open", str(document), env=environment(paths))
    key = device.store.read().keys[0]
    status, shown = on_terminal(
        [("[y/N]", "n")], "keys", "remove", short_id(key.key_id), env=environment(paths)
    )
    assert status == ExitCode.REFUSED_BY_PERSON
    assert " ".join(key.words) in shown
    assert len(device.store.read().keys) == 2
    status, shown = on_terminal(
        [("[y/N]", "y")], "keys", "remove", short_id(key.key_id), env=environment(paths)
    )
    assert status == ExitCode.OK
    assert key not in device.store.read().keys


def test_a_passphrase_is_asked_for_and_not_shown(
    device: Device, paths: Paths, service: Service
) -> None:
    passphrase = "correct horse battery"
    answers = [("New passphrase:", passphrase), ("The same again:", passphrase)]
    status, shown = on_terminal(answers, "keys", "passphrase", "set", env=environment(paths))
    assert status == ExitCode.OK
    assert passphrase not in shown
    status, _shown = on_terminal([("Passphrase of", "wrong one")], "status", env=environment(paths))
    assert status == ExitCode.STORE
    status, _shown = on_terminal([("Passphrase of", passphrase)], "status", env=environment(paths))
    assert status == ExitCode.OK


def test_consent_shows_nothing_that_moves_the_cursor() -> None:
    request = ConsentRequest(
        issuer="https://x\n\x1b[2J",
        fingerprint="0000",
        known_since=0,
        device="pc\u202e",
        accounts=(("ann@example.org\r", ("mail\x07",)),),
        until=0,
    )
    lines = consent_lines(request)
    assert all(character.isprintable() for line in lines for character in line)


def test_plain_keeps_ordinary_text() -> None:
    assert plain("Ann’s Gerät 手 1") == "Ann’s Gerät 手 1"


@pytest.mark.parametrize(("clicked", "answer"), [(0, True), (1, False)])
def test_a_dialog_is_asked_where_there_is_only_a_display(
    clicked: int, answer: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "zenity"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/asked\nexit {clicked}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.setattr(os, "tcgetpgrp", lambda _descriptor: -1)
    request = ConsentRequest("https://portal.example", "0ABC", 0, "pc", (("a@b", ("mail",)),), 0)
    assert prompt.ask_consent(request, allowed_unasked=lambda _issuer: False) is answer
    assert "https://portal.example" in (tmp_path / "asked").read_text()


def test_the_end_is_shown_in_a_window_where_nobody_reads_the_terminal(
    tmp_path: Path, handfast: Run
) -> None:
    program = tmp_path / "zenity"
    program.write_text(
        f'#!/bin/sh\nprintf "%s" "$*" > {tmp_path}/shown.part\n'
        f"mv {tmp_path}/shown.part {tmp_path}/shown\n"
    )
    program.chmod(0o755)
    handfast("open", "nothing.handfast", PATH=f"{tmp_path}:/usr/bin:/bin", DISPLAY=":99")
    give_up = time.monotonic() + 10
    while not (tmp_path / "shown").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert "nothing.handfast" in (tmp_path / "shown").read_text()
