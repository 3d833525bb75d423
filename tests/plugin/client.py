"""The command `handfast` as Ann starts it: on a terminal, or from a program."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin.device import Device
from plugin.keystore.records import KeyRecord
from plugin.paths import Paths
from tests.plugin.on_terminal import COMMAND, on_terminal

SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """How one command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Client:
    """One device, with a folder of its own."""

    home: Path

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "HANDFAST_HOME": str(self.home / "handfast"),
            "HANDFAST_SYSTEM_DIR": str(self.home / "etc"),
            "PYTHONPATH": str(SOURCE),
            "LC_ALL": "C.UTF-8",
            **more,
        }

    def run(
        self, *arguments: str, passwords: Sequence[str] = (), code: str | None = None, **more: str
    ) -> Done:
        """Run a command without terminal or display; each secret has a descriptor of its own."""
        readers, options = [], []
        secrets = [("--password-fd", password) for password in passwords]
        for option, secret in [*secrets, *([] if code is None else [("--code-fd", code)])]:
            reading, writing = os.pipe()
            os.write(writing, secret.encode() + b"\n")
            os.close(writing)
            readers.append(reading)
            options += [option, str(reading)]
        try:
            done = subprocess.run(
                [*COMMAND, *arguments, *options],
                env=self.environment(**more),
                pass_fds=readers,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=90,
                # Without a session of its own the program could find our terminal and ask there.
                start_new_session=True,
            )
        finally:
            for reading in readers:
                os.close(reading)
        return Done(done.returncode, done.stdout, done.stderr)

    def type(
        self,
        typed: Sequence[tuple[str, str]],
        *arguments: str,
        columns: int = 100,
        **more: str,
    ) -> tuple[int, str]:
        """Run a command on a terminal; type each answer when its question appears."""
        env = self.environment(TERM="xterm", **more)
        return on_terminal(typed, *arguments, env=env, columns=columns)

    def held(self) -> tuple[KeyRecord, ...]:
        """Look into the device's store from outside."""
        return self.device().store.read().keys

    def device(self) -> Device:
        return Device.open(Paths.from_environment(self.environment()))

    def words(self) -> dict[tuple[str, str], str]:
        """Return the words of every key: (account, service) → four words."""
        return {(key.account, key.service): " ".join(key.words) for key in self.held()}
