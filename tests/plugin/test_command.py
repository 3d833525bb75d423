"""The command line: help everywhere, fixed exit codes, errors in one form, JSON for programs."""

import argparse
import json
import os
from collections.abc import Iterator

import pytest
from msgspec import structs

from plugin.__main__ import EXIT_CODES, main, parser
from plugin.device import Device
from plugin.errors import ExitCode
from plugin.handler import activate
from plugin.keystore.records import PendingRecord
from plugin.person.argument_parser import commands_of
from plugin.person.short_id import short_id
from tests.plugin.conftest import Run
from tests.plugin.loopback_service import Service
from tests.plugin.test_activate import allow, quiet


def commands(parser: argparse.ArgumentParser, *names: str) -> Iterator[tuple[str, ...]]:
    """Yield every command of the command line, the bare one first."""
    yield names
    for command in commands_of(parser):
        yield from commands(command, *names, command.prog.split()[-1])


COMMANDS = tuple(commands(parser()))


def test_the_commands_are_all_found() -> None:
    assert {(), ("activate",), ("keys", "passphrase", "set"), ("devices", "confirm")} < {*COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert "usage: handfast" in capsys.readouterr().out


def test_every_exit_code_is_told_in_the_help() -> None:
    told = {int(line.split()[0]) for line in EXIT_CODES.splitlines()[1:]}
    assert told == set(ExitCode)


def test_a_misunderstood_command_is_a_usage_error(handfast: Run) -> None:
    for arguments in (("nonsense",), ("open",), ("keys", "show"), ("--nonsense",)):
        refused = handfast(*arguments)
        assert refused.returncode == ExitCode.USAGE
        first, second = refused.stderr.splitlines()
        assert first.startswith("handfast: error: ")
        assert second.startswith("handfast: hint: ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("activate", "--servise", "mail"), 'did you mean "--service"?'),
        (("activat",), 'did you mean "handfast activate"?'),
        (("devices", "revok", "x"), 'did you mean "handfast devices revoke"?'),
        (("agent", "--json"), "give it after the command that has it"),
        (("status", "now"), 'see "handfast --help"'),
    ],
)
def test_a_slip_of_the_finger_is_answered_with_what_was_meant(
    arguments: tuple[str, ...], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments]) == ExitCode.USAGE
    told = capsys.readouterr()
    assert hint in (told.err or json.loads(told.out)["error"]["hint"])


def test_alone_it_says_the_state_and_the_next_step(handfast: Run) -> None:
    done = handfast()
    assert done.returncode == ExitCode.OK
    assert "Next: handfast trust add https://" in done.stdout
    assert "\x1b" not in done.stdout


def test_status_says_plainly_what_protects_the_keys(handfast: Run, device: Device) -> None:
    assert "whoever can read your files can read your keys" in handfast("status").stdout


@pytest.mark.parametrize("command", ["keys", "access", "trust"])
def test_a_bare_command_gives_programs_its_list(
    command: str, handfast: Run, device: Device, service: Service
) -> None:
    activate(service.issue(), device=device, origin=None, consent=allow, progress=quiet)
    listed = handfast(command, "list", "--json").stdout
    assert isinstance(json.loads(listed), list)
    assert handfast(command, "--json").stdout == listed
    assert handfast(command, "--json", "list").stdout == listed


def test_json_for_a_command_that_prints_none_is_refused(handfast: Run, device: Device) -> None:
    for rest in (("keys", "--json", "passphrase", "clear"), ("access", "--json", "remove", "x")):
        refused = handfast(*rest)
        assert refused.returncode == ExitCode.USAGE
        assert "--json does not belong" in json.loads(refused.stdout)["error"]["message"]


def test_json_never_holds_a_secret(handfast: Run, device: Device, service: Service) -> None:
    activate(service.issue(), device=device, origin=None, consent=allow, progress=quiet)
    (key,) = device.store.read().keys
    for command in (("status", "--json"), ("keys", "list", "--json"), ("trust", "list", "--json")):
        shown = handfast(*command).stdout
        json.loads(shown)
        assert key.key not in shown
    shown = handfast("keys", "show", short_id(key.key_id), "--json").stdout
    assert json.loads(shown)["words"] == list(key.words)
    assert key.key not in shown


def test_a_passphrase_comes_from_a_descriptor(device: Device) -> None:
    def with_line(line: bytes, *arguments: str) -> int:
        reading, writing = os.pipe()
        os.write(writing, line)
        os.close(writing)
        try:
            return main([argument.replace("FD", str(reading)) for argument in arguments])
        finally:
            os.close(reading)

    os.environ["HANDFAST_HOME"] = str(device.paths.data_dir.parent)
    try:
        setting = ("keys", "passphrase", "set", "--new-passphrase-fd", "FD")
        assert with_line(b"short\n", *setting) == ExitCode.USAGE
        assert with_line(b"correct horse\n", *setting) == ExitCode.OK
        assert with_line(b"wrong horse\n", "--passphrase-fd", "FD", "status") == ExitCode.STORE
        assert with_line(b"correct horse\n", "--passphrase-fd", "FD", "status") == ExitCode.OK
    finally:
        del os.environ["HANDFAST_HOME"]


@pytest.mark.parametrize("typed", ["A" * 8, "-" + "A" * 21])
def test_an_id_that_begins_like_an_option_is_found(
    handfast: Run, device: Device, typed: str
) -> None:
    record = PendingRecord("-" + "A" * 21, "https://x.example", "http://x", 0, "")
    device.store.change(lambda contents: structs.replace(contents, pending=(record,)))
    assert short_id(record.activation) == "A" * 8
    assert handfast("keys", "remove", typed, "--yes").returncode == ExitCode.OK
    assert device.store.read().pending == ()


def test_a_stored_exchange_of_another_version_does_not_stop_the_command(
    handfast: Run, device: Device, service: Service
) -> None:
    record = PendingRecord("A" * 22, service.issuer, service.exchange, device.clock(), "AAAA")
    device.store.change(lambda contents: structs.replace(contents, pending=(record,)))
    done = handfast("status")
    assert done.returncode == ExitCode.UNFINISHED
    assert "Traceback" not in done.stderr


def test_a_terminal_of_few_letters_gets_no_traceback(handfast: Run, device: Device) -> None:
    done = handfast("trust", "update", PYTHONIOENCODING="ascii")
    assert "Traceback" not in done.stderr
