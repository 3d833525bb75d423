"""Connections to the agent: who is there, one line in, one line out."""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from typing import Final

from plugin.agent import peer
from plugin.agent.answering import unknown_program
from plugin.agent.message import MAX_LINE, AgentCode, AgentError, error_line
from plugin.agent.peer import Peer, UnknownProgramError
from plugin.i18n import _

MAX_CONNECTIONS: Final = 16
IDLE_SECONDS: Final = 10.0
# Those beyond are told so by threads of their own, which wait for a line but briefly.
_MAX_REFUSALS: Final = 16
_REFUSAL_SECONDS: Final = 1.0

Answer = Callable[[bytes, Peer], bytes]


class Lines:
    """One connection, read line by line."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def read(self, seconds: float) -> bytes:
        """Return a whole line, or what came before the end or the limit; raises TimeoutError."""
        give_up = time.monotonic() + seconds
        while b"\n" not in self._received and len(self._received) <= MAX_LINE:
            # One deadline for the whole line: who sends byte by byte holds a place no longer.
            self._connection.settimeout(max(give_up - time.monotonic(), 0.001))
            more = self._connection.recv(MAX_LINE + 1)
            if not more:
                break
            self._received += more
            if time.monotonic() > give_up:
                raise TimeoutError
        line, end, self._received = self._received.partition(b"\n")
        return line + end


def serve(listener: socket.socket, answer: Answer, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer until the program is ended; a connection waits for nobody else's question."""
    free = threading.BoundedSemaphore(MAX_CONNECTIONS)
    refusals = threading.BoundedSemaphore(_MAX_REFUSALS)
    while True:
        connection, _address = listener.accept()
        accepted = peer.now()
        if free.acquire(blocking=False):
            _start(
                connection,
                free,
                partial(_converse, answer=answer, accepted=accepted, idle_seconds=idle_seconds),
            )
        elif refusals.acquire(blocking=False):
            _start(connection, refusals, _refuse)
        else:
            connection.close()


def _start(
    connection: socket.socket,
    place: threading.BoundedSemaphore,
    work: Callable[[socket.socket], None],
) -> None:
    """Work for one connection in a thread, and give its place back."""

    def run() -> None:
        try:
            # The program may go away at any moment; nobody is left to tell then.
            with connection, suppress(OSError):
                work(connection)
        finally:
            place.release()

    threading.Thread(target=run, daemon=True, name="handfast-agent").start()


def _refuse(connection: socket.socket) -> None:
    """Say that too many ask; who still writes would only hear that the connection is closed."""
    Lines(connection).read(_REFUSAL_SECONDS)
    connection.settimeout(_REFUSAL_SECONDS)
    connection.sendall(error_line(_too_many()))


def _converse(
    connection: socket.socket, answer: Answer, accepted: float, idle_seconds: float
) -> None:
    connection.settimeout(idle_seconds)
    try:
        other = Peer(connection, accepted=accepted)
    except UnknownProgramError as error:
        connection.sendall(error_line(unknown_program(error)))
        return
    with closing(other):
        ours = other.uid == os.getuid()
        if ours:
            # Now, and not with its first request: it could have become another program by then.
            with suppress(UnknownProgramError):
                other.program()
        lines = Lines(connection)
        while untrusted_line := lines.read(idle_seconds):
            connection.settimeout(idle_seconds)
            if not ours:
                connection.sendall(error_line(_not_yours()))
                return
            if not untrusted_line.endswith(b"\n") or len(untrusted_line) > MAX_LINE:
                connection.sendall(error_line(_no_line()))
                return
            connection.sendall(answer(untrusted_line, other))


def _not_yours() -> AgentError:
    return AgentError(
        AgentCode.NOT_YOURS,
        _("this agent answers programs of its own user only"),
        _("run the program as the person whose device this is"),
    )


def _no_line() -> AgentError:
    return AgentError(
        AgentCode.TOO_LARGE,
        _("the program's request is too long, or does not end with a new line"),
        _("its author finds the format in docs/device-api.md"),
    )


def _too_many() -> AgentError:
    return AgentError(
        AgentCode.BUSY,
        _("too many programs ask at the same time"),
        _("let the program try again in a moment"),
    )
