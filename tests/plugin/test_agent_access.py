"""`handfast access`: the person sees and changes which programs may have keys."""

import json
import os
import sys
from pathlib import Path

import msgspec
import pytest

from plugin.agent.peer import Program
from plugin.device import Device
from plugin.errors import ExitCode
from plugin.keystore.records import Contents, ProgramRecord
from plugin.paths import Paths
from tests.plugin import agent_site
from tests.plugin.agent_site import allowed_already, code, give_keys, program
from tests.plugin.conftest import Run, environment
from tests.plugin.on_terminal import on_terminal

ANN = ("ann@example.org", "contacts")
ALLOW = ("--service", "contacts", "--purpose", "sync")


@pytest.fixture
def keys(paths: Paths) -> Device:
    return give_keys(paths, ANN)


def the_only(device: Device) -> ProgramRecord:
    (record,) = device.store.read().programs
    return record


def test_the_list_says_who_since_when_for_what(keys: Device, handfast: Run, tmp_path: Path) -> None:
    asking = program(tmp_path, "my app.py")
    allowed_already(keys, asking)
    shown = handfast("access", "list").stdout
    record = the_only(keys)
    for told in ("ann@example.org", "contacts", "sync", record.program):
        assert told in shown
    (listed,) = json.loads(handfast("access", "list", "--json").stdout)
    assert listed["digest"] == record.digest
    assert listed["granted"] == record.granted
    assert listed["id"] in shown


def test_all_of_a_program_go_by_its_path(keys: Device, handfast: Run, tmp_path: Path) -> None:
    asking, other = program(tmp_path), program(tmp_path, "other.py")
    allowed_already(keys, asking)
    allowed_already(keys, other)
    removed = handfast("access", "remove", str(asking))
    assert removed.returncode == 0
    assert the_only(keys).program.endswith("other.py")
    again = handfast("access", "remove", str(asking))
    assert again.returncode == ExitCode.USAGE
    assert "handfast access list" in again.stderr


def test_allowed_beforehand_is_not_asked_later(keys: Device, paths: Paths, tmp_path: Path) -> None:
    asking = program(tmp_path)
    arguments = ("access", "allow", str(asking), *ALLOW, "--run-by", sys.executable)
    status, shown = on_terminal([("Allow?", "y")], *arguments, env=environment(paths))
    assert status == 0
    assert str(asking) in shown
    with agent_site.running(paths, terminal=False) as agent:
        assert "key" in agent.ask(asking)


def test_the_key_is_named_where_two_services_have_one_for_the_account(
    keys: Device, paths: Paths, handfast: Run
) -> None:
    other = "Zz" + "0" * 20

    def add(contents: Contents) -> Contents:
        key = next(key for key in contents.keys if key.service == "contacts")
        twin = msgspec.structs.replace(key, key_id=other, issuer="https://other.example.org")
        return msgspec.structs.replace(contents, keys=(*contents.keys, twin))

    keys.store.change(add)
    unclear = handfast("access", "allow", "/bin/cat", *ALLOW)
    assert unclear.returncode == ExitCode.USAGE
    assert "key id" in unclear.stderr
    named = ("access", "allow", "/bin/cat", *ALLOW, "--key", "Zz00")
    status, _shown = on_terminal([("Allow?", "y")], *named, env=environment(paths))
    assert status == 0
    assert the_only(keys).issuer == "https://other.example.org"


def test_without_a_clear_yes_nothing_is_allowed(
    keys: Device, paths: Paths, handfast: Run, tmp_path: Path
) -> None:
    arguments = ("access", "allow", "/bin/cat", *ALLOW)
    status, _shown = on_terminal([("Allow?", "")], *arguments, env=environment(paths))
    assert status == ExitCode.REFUSED_BY_PERSON
    assert handfast(*arguments).returncode == ExitCode.NO_WAY_TO_ASK
    assert keys.store.read().programs == ()


@pytest.mark.parametrize(
    ("first_line", "interpreter"),
    [("#!/bin/sh -e\n", "/bin/sh"), ("#!/usr/bin/env sh\n", "/bin/sh")],
    ids=["named", "searched"],
)
def test_a_script_names_its_interpreter(
    first_line: str, interpreter: str, keys: Device, paths: Paths, tmp_path: Path
) -> None:
    script = tmp_path / "job"
    script.write_text(first_line)
    status, _shown = on_terminal(
        [("Allow?", "y")], "access", "allow", str(script), *ALLOW, env=environment(paths)
    )
    assert status == 0
    expected = Program.of_files(Path(os.path.realpath(interpreter)), script)
    assert the_only(keys).program == expected.name
    assert the_only(keys).digest == expected.digest


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing-here", *ALLOW), "cannot read the program"),
        (("/etc/hostname", *ALLOW), "--run-by"),
        (("/bin/cat", "--service", "calendar", "--purpose", "sync"), "no such key"),
        (("/bin/cat", "--service", "contacts", "--purpose", "A b"), "cannot name a purpose"),
    ],
    ids=["no file", "no interpreter", "no key", "no purpose"],
)
def test_what_cannot_be_allowed_is_said(
    arguments: tuple[str, ...], told: str, keys: Device, handfast: Run
) -> None:
    ended = handfast("access", "allow", *arguments)
    assert ended.returncode == ExitCode.USAGE
    assert told in ended.stderr


def test_a_hostile_name_moves_no_cursor(keys: Device, paths: Paths, tmp_path: Path) -> None:
    folder = tmp_path / "x\x1b[2J\ny"
    folder.mkdir()
    asking = program(folder)
    with agent_site.running(paths) as agent:
        waiting = agent.start(asking)
        asked = agent.screen.answer("Allow?", "n")
        assert code(agent_site.ended(waiting)) == "refused"
    assert "\x1b" not in asked
    assert "[2J" in asked
