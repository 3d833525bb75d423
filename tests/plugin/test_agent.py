"""The device API: a real agent, real programs, a real person at a real terminal."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from plugin.device import Device
from plugin.paths import Paths
from protocol.encoding import b64u
from tests.plugin import agent_site
from tests.plugin.agent_site import (
    QUESTION,
    REQUEST,
    Agent,
    allowed_already,
    code,
    ended,
    give_keys,
    program,
)
from tests.plugin.conftest import REPOSITORY, Run, environment

ANN = ("ann@example.org", "contacts")
# Where an installation puts the command, as its people have it on their PATH.
INSTALLED = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture
def keys(paths: Paths) -> Device:
    return give_keys(paths, ANN, ("ann@example.org", "mail"))


def test_a_program_gets_a_derived_key_after_one_yes(
    keys: Device, paths: Paths, tmp_path: Path
) -> None:
    record = keys.store.read().keys[0]
    asking = program(tmp_path)
    with agent_site.running(paths) as agent:
        waiting = agent.start(asking)
        asked = agent.screen.answer(QUESTION, "y")
        answer = ended(waiting)
        again = agent.ask(asking, direction="to-service")
    assert answer == {
        "v": 1,
        "key": b64u(record.session_key().program_key("sync", "to-device")),
        "key_id": record.key_id,
        "account": "ann@example.org",
        "service": "contacts",
    }
    assert again["key"] == b64u(record.session_key().program_key("sync", "to-service"))
    for told in (str(asking), "sync", "ann@example.org (contacts)", record.issuer):
        assert told in asked
    assert record.key not in (answer["key"], again["key"])


@pytest.mark.parametrize(
    "change", [{"service": "mail"}, {"purpose": "other"}], ids=lambda change: next(iter(change))
)
def test_what_was_not_allowed_is_asked(
    change: dict[str, str], keys: Device, paths: Paths, tmp_path: Path
) -> None:
    asking = program(tmp_path)
    with agent_site.running(paths) as agent:
        first = agent.start(asking)
        agent.screen.answer(QUESTION, "y")
        ended(first)
        second = agent.start(asking, **change)
        agent.screen.answer(QUESTION, "n")
        assert code(ended(second)) == "refused"


def test_a_changed_program_is_asked_about_again(keys: Device, paths: Paths, tmp_path: Path) -> None:
    asking = program(tmp_path)
    with agent_site.running(paths) as agent:
        first = agent.start(asking)
        agent.screen.answer(QUESTION, "y")
        ended(first)
        asking.write_text("# Another line.\n" + asking.read_text())
        second = agent.start(asking)
        asked = agent.screen.answer(QUESTION, "y")
        assert "key" in ended(second)
    assert "changed since you allowed it" in asked
    # What it was before is of no use to anybody.
    assert len(keys.store.read().programs) == 1


def test_a_program_that_changes_during_the_question_gets_nothing(
    keys: Device, paths: Paths, tmp_path: Path
) -> None:
    asking = program(tmp_path)
    with agent_site.running(paths) as agent:
        waiting = agent.start(asking)
        agent.screen.wait_for(QUESTION)
        asking.write_text(asking.read_text() + "# Something else.\n")
        os.write(agent.screen.descriptor, b"y\n")
        assert code(ended(waiting)) == "unknown-program"


def test_a_refused_program_cannot_nag(keys: Device, paths: Paths, tmp_path: Path) -> None:
    asking, other = program(tmp_path), program(tmp_path, "calendar.py")
    with agent_site.running(paths) as agent:
        first = agent.start(asking)
        agent.screen.answer(QUESTION, "n")
        assert code(ended(first)) == "refused"
        assert code(agent.ask(asking)) == "refused"
        assert code(agent.ask(asking, purpose="another")) == "refused"
        agent.screen.read()
        assert agent.screen.shown.count(QUESTION) == 1
        second = agent.start(other)
        agent.screen.answer(QUESTION, "y")
        assert "key" in ended(second)
    assert [record.program.endswith("calendar.py") for record in keys.store.read().programs] == [
        True
    ]


def test_two_programs_are_asked_about_one_after_the_other(
    keys: Device, paths: Paths, tmp_path: Path
) -> None:
    names = ("one.py", "two.py")
    with agent_site.running(paths) as agent:
        waiting = [agent.start(program(tmp_path, name)) for name in names]
        agent.screen.wait_for(QUESTION)
        # The second one has had its time to ask over the first one's question.
        for _round in range(10):
            agent.screen.read()
        assert agent.screen.shown.count(QUESTION) == 1
        os.write(agent.screen.descriptor, b"y\n")
        agent.screen.answer(QUESTION, "y")
        assert all("key" in ended(one) for one in waiting)


def test_one_yes_is_enough_for_two_that_asked_the_same(
    keys: Device, paths: Paths, tmp_path: Path
) -> None:
    asking = program(tmp_path)
    with agent_site.running(paths) as agent:
        waiting = [agent.start(asking), agent.start(asking)]
        agent.screen.answer(QUESTION, "y")
        assert all("key" in ended(one) for one in waiting)
        assert agent.screen.shown.count(QUESTION) == 1


def test_nobody_to_ask_is_a_refusal(keys: Device, paths: Paths, tmp_path: Path) -> None:
    with agent_site.running(paths, terminal=False) as agent:
        answer = agent.ask(program(tmp_path))
    assert code(answer) == "no-way-to-ask"
    assert "handfast access allow" in answer["error"]["hint"]
    assert keys.store.read().programs == ()


def test_removal_counts_from_the_next_request_on(
    keys: Device, paths: Paths, tmp_path: Path, handfast: Run
) -> None:
    asking = program(tmp_path)
    allowed_already(keys, asking)
    with agent_site.running(paths, terminal=False) as agent:
        assert "key" in agent.ask(asking)
        listed = json.loads(handfast("access", "list", "--json").stdout)
        assert [one["purpose"] for one in listed] == ["sync"]
        assert handfast("access", "remove", listed[0]["id"]).returncode == 0
        assert code(agent.ask(asking)) == "no-way-to-ask"
    assert "No program" in handfast("access", "list").stdout


def test_after_a_rotation_the_new_key_answers_and_the_old_one_by_its_id(
    keys: Device, paths: Paths, tmp_path: Path
) -> None:
    asking = program(tmp_path)
    allowed_already(keys, asking)
    old = keys.store.read().keys[0]
    keys.store.change(
        lambda contents: msgspec.structs.replace(
            contents, keys=tuple(msgspec.structs.replace(key, proven=1) for key in contents.keys)
        )
    )
    give_keys(paths, ANN)
    new = keys.store.read().keys[-1]
    with agent_site.running(paths, terminal=False) as agent:
        # The service may not know the new one yet.
        assert agent.ask(asking)["key_id"] == old.key_id
        keys.store.change(
            lambda contents: msgspec.structs.replace(
                contents,
                keys=tuple(msgspec.structs.replace(key, proven=2) for key in contents.keys),
            )
        )
        assert agent.ask(asking)["key_id"] == new.key_id
        assert agent.ask(asking, key_id=old.key_id)["key_id"] == old.key_id
        keys.forget(old.key_id)
        assert code(agent.ask(asking, key_id=old.key_id)) == "no-key"


def test_several_accounts_must_be_told_apart(keys: Device, paths: Paths, tmp_path: Path) -> None:
    give_keys(paths, ("bob@example.org", "contacts"))
    asking = program(tmp_path)
    allowed_already(keys, asking)
    with agent_site.running(paths, terminal=False) as agent:
        assert code(agent.ask(asking)) == "ambiguous"
        assert agent.ask(asking, account="ann@example.org")["account"] == "ann@example.org"
        # Allowed for one account is not allowed for another.
        assert code(agent.ask(asking, account="bob@example.org")) == "no-way-to-ask"
        assert code(agent.ask(asking, account="eve@example.org")) == "no-key"


@pytest.mark.parametrize(
    "members",
    [
        {"v": 2},
        {"v": True},
        {"service": "Contacts"},
        {"purpose": "no spaces"},
        {"purpose": "packet/x"},
        {"direction": "sideways"},
        {"key_id": "short"},
        {"extra": 1},
        {"service": None},
    ],
    ids=str,
)
def test_a_request_that_is_not_exactly_one_is_refused(
    members: dict[str, object], keys: Device, agent: Agent, tmp_path: Path
) -> None:
    assert code(agent.ask(program(tmp_path), **members)) == "malformed"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (json.dumps(REQUEST)[:-1] + ',"v":1}', "malformed"),
        ("[" * 4000, "malformed"),
        ("[]", "malformed"),
        ("", "malformed"),
        ("x" * 5000, "too-large"),
    ],
    ids=["twice", "deep", "list", "empty", "long"],
)
def test_a_line_that_is_no_request_is_refused(
    line: str, expected: str, keys: Device, agent: Agent, tmp_path: Path
) -> None:
    assert code(ended(agent.start_line(program(tmp_path), line))) == expected


@pytest.fixture
def agent(paths: Paths) -> Iterator[Agent]:
    with agent_site.running(paths, terminal=False) as running:
        yield running


def test_the_example_is_ten_lines_and_works(keys: Device, paths: Paths) -> None:
    example = REPOSITORY / "examples" / "device_key.py"
    code_lines = [
        line
        for line in example.read_text().splitlines()
        if line and not line.startswith(('"""', "import"))
    ]
    assert len(code_lines) <= 10
    with agent_site.running(paths) as agent:
        asking = subprocess.Popen(
            [sys.executable, str(example)],
            env=environment(paths, PATH=INSTALLED),
            stdout=subprocess.PIPE,
            text=True,
        )
        agent.screen.answer(QUESTION, "y")
        output, _errors = asking.communicate(timeout=30)
    assert output.strip() == keys.store.read().keys[0].key_id


def test_the_example_fails_with_the_message_when_it_gets_no_key(agent: Agent, paths: Paths) -> None:
    example = REPOSITORY / "examples" / "device_key.py"
    done = subprocess.run(
        [sys.executable, str(example)],
        env=environment(paths, PATH=INSTALLED),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "this device has no such key\n"


def test_the_page_shows_the_example_as_it_is() -> None:
    page = (REPOSITORY / "docs" / "device-api.md").read_text()
    shown = re.search(r"```python\n(.*?)```", page, re.S)
    assert shown
    assert shown[1] == (REPOSITORY / "examples" / "device_key.py").read_text()
