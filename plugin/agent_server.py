"""Connections to the agent: who is there, one line in, one line out."""

import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Final

from plugin import peer
from plugin.agent import unknown_program
from plugin.agent_message import MAX_LINE, AgentCode, AgentError, error_line
from plugin.i18n import _
from plugin.peer import Peer, UnknownProgramError

MAX_CONNECTIONS: Final = 16
IDLE_SECONDS: Final = 10.0

Answer = Callable[[bytes, Peer], bytes]


def serve(listener: socket.socket, answer: Answer, *, idle_seconds: float = IDLE_SECONDS) -> None:
    """Answer until the program is ended; a connection waits for nobody else's question."""
    free = threading.BoundedSemaphore(MAX_CONNECTIONS)
    while True:
        connection, _address = listener.accept()
        accepted = peer.now()
        connection.settimeout(idle_seconds)
        if not free.acquire(blocking=False):
            with connection, suppress(OSError):
                connection.sendall(error_line(_too_many()))
            continue

        def work(connection: socket.socket = connection, accepted: float = accepted) -> None:
            try:
                # The program may go away at any moment; nobody is left to tell then.
                with connection, suppress(OSError):
                    _converse(connection, answer, accepted)
            finally:
                free.release()

        threading.Thread(target=work, daemon=True, name="handfast-agent").start()


def _converse(connection: socket.socket, answer: Answer, accepted: float) -> None:
    try:
        other = Peer(connection, accepted=accepted)
    except UnknownProgramError as error:
        connection.sendall(error_line(unknown_program(error)))
        return
    with closing(other), connection.makefile("rb") as lines:
        ours = other.uid == os.getuid()
        if ours:
            # Now, and not with its first request: it could have become another program by then.
            with suppress(UnknownProgramError):
                other.program()
        while untrusted_line := lines.readline(MAX_LINE + 1):
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
