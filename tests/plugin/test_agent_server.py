"""Connections to the agent: nobody holds a place by saying little, and "busy" is heard."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from plugin.agent.peer import Peer
from plugin.agent.server import MAX_CONNECTIONS, serve


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of an agent that gives every line back, and waits a second for one."""
    path = str(tmp_path / "agent")

    def answer(untrusted_line: bytes, _peer: Peer) -> bytes:
        return untrusted_line

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def work() -> None:
            with suppress(OSError):
                serve(listener, answer, idle_seconds=1)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def connected(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    connection.connect(address)
    return connection


def test_busy_is_heard_by_who_sends_late(address: str) -> None:
    silent = [connected(address) for _number in range(MAX_CONNECTIONS)]
    with connected(address) as late:
        time.sleep(0.2)
        late.sendall(b"hello\n")
        assert json.loads(late.makefile().readline())["error"]["code"] == "busy"
    for one in silent:
        one.close()


def test_lines_that_came_together_are_answered_in_order(address: str) -> None:
    with connected(address) as program, program.makefile() as lines:
        program.sendall(b"one\ntwo\nthr")
        program.sendall(b"ee\n")
        assert [lines.readline() for _number in range(3)] == ["one\n", "two\n", "three\n"]


def test_who_sends_byte_by_byte_holds_a_place_no_longer(address: str) -> None:
    with connected(address) as dripping:
        began = time.monotonic()
        with suppress(BrokenPipeError):
            while time.monotonic() < began + 4:
                dripping.sendall(b"x")
                time.sleep(0.1)
        assert time.monotonic() < began + 3
