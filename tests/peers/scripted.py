"""Servers that misbehave: each connection is handed to a script, over TLS or without."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.peers.ca import CertificateFiles

Script = Callable[[socket.socket], object]


def server_context(certificate: CertificateFiles) -> ssl.SSLContext:
    """A server's TLS context for a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


@contextmanager
def scripted_server(script: Script, certificate: CertificateFiles | None = None) -> Iterator[int]:
    """Play the script to every connection until the block ends; yields the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    context = server_context(certificate) if certificate else None
    stopping = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not stopping.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            if stopping.is_set():
                connection.close()
                return
            thread = threading.Thread(target=_play, args=(script, connection, context))
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopping.set()
        with contextlib.suppress(OSError), socket.create_connection(listener.getsockname(), 1):
            pass
        acceptor.join(5)
        listener.close()
        for thread in threads:
            thread.join(10)


def read_command(connection: socket.socket) -> tuple[bytes, bytes]:
    """The tag of the next IMAP command, and its name and arguments."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("the client went away")
        line += byte
    tag, _, rest = line.strip().partition(b" ")
    return tag, rest


def _play(script: Script, connection: socket.socket, context: ssl.SSLContext | None) -> None:
    """Run the script; the client leaving in the middle of it is the normal end."""
    connection.settimeout(10)
    with contextlib.suppress(OSError):
        if context is None:
            with connection:
                script(connection)
            return
        with connection, context.wrap_socket(connection, server_side=True) as secured:
            script(secured)
