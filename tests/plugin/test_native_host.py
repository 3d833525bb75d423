"""The native host as the browser runs it: a process, two pipes, frames."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from plugin.native_host import LONGEST_FRAME
from plugin.registration.chromium import EXTENSION_ORIGIN
from tests.e2e.bridge.small_service import SmallService, small_service

ISSUER = "https://portal.example.org"
SOURCE = Path(__file__).resolve().parents[2]


class Host:
    """The running process, as the extension sees it."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def send(self, message: object) -> None:
        self.send_raw(json.dumps(message).encode())

    def send_raw(self, body: bytes, *, length: int | None = None) -> None:
        assert self.process.stdin
        size = len(body) if length is None else length
        self.process.stdin.write(struct.pack("=I", size) + body)
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def receive(self) -> dict[str, Any] | None:
        assert self.process.stdout
        head = self.process.stdout.read(4)
        if not head:
            return None
        (length,) = struct.unpack("=I", head)
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        return message

    def receive_all(self) -> list[dict[str, Any]]:
        return list(iter(self.receive, None))


@contextmanager
def host(home: Path, *, caller: str = EXTENSION_ORIGIN) -> Iterator[Host]:
    with subprocess.Popen(
        [sys.executable, "-m", "plugin.native_host", caller],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "HANDFAST_HOME": str(home), "PYTHONPATH": str(SOURCE)},
    ) as process:
        try:
            yield Host(process)
        finally:
            process.kill()


@pytest.fixture
def service() -> Iterator[SmallService]:
    with small_service(ISSUER) as service:
        yield service


@pytest.fixture
def home(tmp_path: Path, service: SmallService) -> Path:
    service.become_trusted(tmp_path)
    return tmp_path


def document(service: SmallService, origin: str = ISSUER) -> dict[str, str]:
    return {"type": "document", "document": service.document().decode(), "origin": origin}


def test_asks_before_any_network_act_and_goes_on_when_allowed(
    home: Path, service: SmallService
) -> None:
    with host(home) as running:
        running.send(document(service))
        assert running.receive() == {"type": "progress", "stage": "verified"}
        question = running.receive()
        assert question is not None
        assert question["type"] == "consent"
        assert question["request"]["accounts"] == [
            {"address": "ann@example.org", "services": ["mail", "contacts", "calendar"]}
        ]
        assert service.posts == []
        running.send({"type": "allow"})
        *progress, done = running.receive_all()
    assert [message["stage"] for message in progress] == ["taken", "agreed", "active"]
    assert done["type"] == "done"
    assert [key["words"] for key in done["keys"]] == [list(key.words) for key in service.keys]


@pytest.mark.parametrize(
    "answer",
    [{"type": "refuse"}, {"type": "allow", "more": 1}, {"type": "Allow"}, {}, None],
    ids=["refuse", "allow with more", "other case", "empty", "end of input"],
)
def test_everything_but_allow_is_a_refusal(
    home: Path, service: SmallService, answer: dict[str, Any] | None
) -> None:
    with host(home) as running:
        running.send(document(service))
        running.receive()
        running.receive()
        if answer is None:
            running.close()
        else:
            running.send(answer)
        assert running.receive_all() == [{"type": "refused"}]
        assert running.process.wait(10) == 3
    assert service.posts == []


def test_half_an_answer_is_a_refusal(home: Path, service: SmallService) -> None:
    with host(home) as running:
        running.send(document(service))
        running.receive()
        running.receive()
        running.send_raw(b'{"type":"allow"}'[:9], length=16)
        running.close()
        assert running.receive_all() == [{"type": "refused"}]


def test_a_document_from_another_origin_is_refused_unasked(
    home: Path, service: SmallService
) -> None:
    with host(home) as running:
        running.send(document(service, "https://evil.example"))
        (answer,) = running.receive_all()
        assert answer["type"] == "error"
        assert answer["code"] == "untrusted"
        assert "another site" in answer["message"]
        assert running.process.wait(10) == 4


def test_an_altered_document_is_refused_unasked(home: Path, service: SmallService) -> None:
    message = document(service)
    message["document"] = message["document"][:-4] + "AAAA"
    with host(home) as running:
        running.send(message)
        (answer,) = running.receive_all()
        assert answer["code"] == "untrusted"


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"[]",
        b'"document"',
        b"{}",
        b'{"type":"allow"}',
        b'{"type":"document","document":1,"origin":"https://portal.example.org"}',
        b'{"type":"document","document":"a.b.c"}',
        b"[" * 5000,
        b"\xff\xfe",
    ],
)
def test_a_first_message_that_is_no_document_ends_it(home: Path, body: bytes) -> None:
    with host(home) as running:
        running.send_raw(body)
        (answer,) = running.receive_all()
        assert answer["code"] == "malformed"
        assert running.process.wait(10) == 2


def test_a_frame_over_the_limit_is_not_even_read(home: Path) -> None:
    with host(home) as running:
        running.send_raw(b"", length=LONGEST_FRAME + 1)
        (answer,) = running.receive_all()
        assert answer["message"] == "a frame is longer than 64 KiB"


@pytest.mark.parametrize("start", [b"", b"\x10", b"\x10\x00\x00\x00{"])
def test_input_that_ends_early_is_a_quiet_end(home: Path, start: bytes) -> None:
    with host(home) as running:
        assert running.process.stdin
        running.process.stdin.write(start)
        running.close()
        assert running.receive_all() == []
        assert running.process.wait(10) == 0


@pytest.mark.parametrize("caller", ["chrome-extension://aaaa/", "", "activation.handfast"])
def test_only_our_extension_is_served(home: Path, service: SmallService, caller: str) -> None:
    with host(home, caller=caller) as running:
        out, err = running.process.communicate(b"", timeout=20)
        assert out == b""
        assert err.startswith(b"handfast: error: this program is started by the browser\n")
        assert running.process.returncode == 2


def test_a_crash_names_no_secret(home: Path, service: SmallService) -> None:
    """The marker stands in the exception's text: only its kind may be seen."""
    script = (
        "import sys, plugin.native_host as host\n"
        "def crash(*args, **more): raise RuntimeError('MARKER-7731')\n"
        "host.handler.activate = crash\n"
        f"sys.exit(host.main([{EXTENSION_ORIGIN!r}]))\n"
    )
    body = json.dumps(document(service)).encode()
    ended = subprocess.run(
        [sys.executable, "-c", script],
        input=struct.pack("=I", len(body)) + body,
        capture_output=True,
        env={**os.environ, "HANDFAST_HOME": str(home), "PYTHONPATH": str(SOURCE)},
        check=False,
        timeout=20,
    )
    assert ended.stdout == b""
    assert ended.stderr == b"handfast: error: internal error (RuntimeError)\n"


def test_what_a_library_prints_never_reaches_the_frames(home: Path, service: SmallService) -> None:
    script = (
        "import os, sys, plugin.native_host as host\n"
        "def chatty(*args, **more):\n"
        "    print('hello'); os.write(1, b'raw'); raise host.UserError('no', 'none')\n"
        "host.handler.activate = chatty\n"
        f"sys.exit(host.main([{EXTENSION_ORIGIN!r}]))\n"
    )
    body = json.dumps(document(service)).encode()
    ended = subprocess.run(
        [sys.executable, "-c", script],
        input=struct.pack("=I", len(body)) + body,
        capture_output=True,
        env={**os.environ, "HANDFAST_HOME": str(home), "PYTHONPATH": str(SOURCE)},
        check=False,
        timeout=20,
    )
    (length,) = struct.unpack("=I", ended.stdout[:4])
    assert len(ended.stdout) == 4 + length
    assert json.loads(ended.stdout[4:])["message"] == "no"
