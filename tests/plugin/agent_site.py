"""A running agent on a terminal of its own, and programs that ask it."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from plugin.agent.answering import allow
from plugin.agent.peer import Program
from plugin.device import Device
from plugin.keystore.records import KeyRecord
from plugin.paths import Paths
from protocol.encoding import b64u
from protocol.session import SessionKey
from tests.plugin.conftest import environment, open_device

CLIENT = """\
import socket, sys
with socket.socket(socket.AF_UNIX) as agent:
    agent.connect(sys.argv[1])
    agent.sendall(sys.argv[2].encode() + b"\\n")
    sys.stdout.write(agent.makefile().readline())
"""
REQUEST = {"v": 1, "service": "contacts", "purpose": "sync", "direction": "to-device"}
QUESTION = "Allow?"


@dataclass
class Screen:
    """What the agent shows, and the keyboard before it."""

    descriptor: int
    shown: str = ""
    _seen: int = 0

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """Return what was shown since the last call up to `text`."""
        give_up = time.monotonic() + seconds
        while text not in self.shown[self._seen :]:
            assert time.monotonic() < give_up, self.shown
            self.read()
        end = self.shown.index(text, self._seen) + len(text)
        found, self._seen = self.shown[self._seen : end], end
        return found

    def answer(self, question: str, typed: str) -> str:
        """Type an answer when the question is there; return what was asked."""
        asked = self.wait_for(question)
        os.write(self.descriptor, typed.encode() + b"\n")
        return asked

    def read(self) -> None:
        """Take what is there now."""
        if select.select([self.descriptor], [], [], 0.05)[0]:
            try:
                self.shown += os.read(self.descriptor, 4096).decode(errors="replace")
            except OSError:
                # Linux reports the end of a terminal as an I/O error.
                time.sleep(0.05)


@dataclass
class Agent:
    """A running agent."""

    paths: Paths
    process: subprocess.Popen[bytes]
    screen: Screen
    programs: list[Path] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.paths.runtime_dir / "agent"

    def start(self, program: Path, **members: object) -> "subprocess.Popen[str]":
        """Let a program ask, without waiting for the answer; None leaves a member away."""
        request = {name: value for name, value in (REQUEST | members).items() if value is not None}
        return self.start_line(program, json.dumps(request))

    def start_line(self, program: Path, line: str) -> "subprocess.Popen[str]":
        """Let a program send a line."""
        return subprocess.Popen(
            [sys.executable, str(program), str(self.socket), line],
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, program: Path, **members: object) -> dict[str, Any]:
        """Let a program ask, and return the answer."""
        return ended(self.start(program, **members))


def ended(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Return the answer that a program got."""
    output, _errors = process.communicate(timeout=30)
    answer: dict[str, Any] = json.loads(output)
    return answer


def code(answer: dict[str, Any]) -> str:
    """Return the code of an error."""
    found: str = answer["error"]["code"]
    return found


def program(folder: Path, name: str = "addressbook.py") -> Path:
    """Write a program that sends its second argument and prints the answer."""
    file = folder / name
    file.write_text(CLIENT)
    return file


def give_keys(paths: Paths, *keys: tuple[str, str]) -> Device:
    """Put keys of (account, service) into the store, as activations would."""
    device = open_device(paths)
    records = tuple(_key_record(account, service, device.clock()) for account, service in keys)
    device.store.change(
        lambda contents: msgspec.structs.replace(contents, keys=(*contents.keys, *records))
    )
    return device


def allowed_already(device: Device, asking: Path) -> None:
    """Put the person's consent for a program that Python runs into the store."""
    interpreter = Path(os.path.realpath(sys.executable))
    key = next(key for key in device.store.read().keys if key.service == REQUEST["service"])
    allow(device, Program.of_files(interpreter, asking), key, str(REQUEST["purpose"]))


@contextmanager
def running(paths: Paths, *, terminal: bool = True, until: str = "Ctrl-C") -> Iterator[Agent]:
    """Run the agent on a terminal, or without one; the block begins when it has said `until`."""
    outside, inside = pty.openpty()
    own = ["setsid", "--ctty"] if terminal else ["setsid"]
    process = subprocess.Popen(
        [*own, sys.executable, "-m", "plugin", "agent"],
        env=environment(paths),
        stdin=inside if terminal else subprocess.DEVNULL,
        stdout=inside,
        stderr=inside,
    )
    os.close(inside)
    agent = Agent(paths, process, Screen(outside))
    try:
        agent.screen.wait_for(until)
        yield agent
    finally:
        process.terminate()
        process.wait(10)
        os.close(outside)


def _key_record(account: str, service: str, now: int) -> KeyRecord:
    key = SessionKey(b64u(os.urandom(16)), account, service, "uid", os.urandom(32))
    return KeyRecord.of(
        key,
        issuer="https://portal.example.org",
        device="ann-laptop",
        sub="ann",
        exchange="http://localhost",
        now=now,
    )
