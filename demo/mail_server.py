"""A real IMAP server in this process: TLS from the first byte, a mailbox for each person named."""

import asyncio
import dataclasses
import socket
import ssl
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Identity, Login
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata

HOST = "127.0.0.1"


@dataclass(frozen=True)
class MailServer:
    """Where it listens; the certificate is for this name."""

    port: int
    host: str = "localhost"


@contextmanager
def serve(chain: Path, key: Path, mailboxes: Mapping[str, str]) -> Iterator[MailServer]:
    """Serve mailboxes (address → password) on a free loopback port until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = socket.create_server((HOST, 0))
    started: Future[Callable[[], None]] = Future()
    work = run(listener, context, mailboxes, started)
    thread = threading.Thread(target=asyncio.run, args=(work,), name="mail server", daemon=True)
    thread.start()
    stop = started.result(timeout=30)
    try:
        yield MailServer(listener.getsockname()[1])
    finally:
        stop()
        thread.join()


async def run(
    listener: socket.socket,
    context: ssl.SSLContext,
    mailboxes: Mapping[str, str],
    started: Future[Callable[[], None]],
) -> None:
    """Take connections until the function that `started` hands out is called."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    imap = await make_imap(mailboxes)

    open_connections: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        try:
            await imap(reader, writer, SocketInfo.get(writer, None))
        finally:
            open_connections.discard(writer)

    server = await asyncio.start_server(connected, sock=listener, ssl=context)

    def stop() -> None:
        loop.call_soon_threadsafe(stopped.set)

    started.set_result(stop)
    await stopped.wait()
    server.close()
    # Nobody waits for an idle client: its connection is cut.
    for writer in list(open_connections):
        writer.transport.abort()
    while open_connections:
        await asyncio.sleep(0.01)


async def make_imap(mailboxes: Mapping[str, str]) -> IMAPServer:
    """Build the protocol's side: STARTTLS is off, since TLS is there before the first byte."""
    config = Config(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host=HOST,
        port=0,
        tls_enabled=False,
        demo_data=False,
        demo_user="",
        demo_password="",
    )
    config.apply_context()
    login = Login(config)
    for address, password in mailboxes.items():
        await add_mailbox(login, config, address, password)
    return IMAPServer(login, config)


async def add_mailbox(login: Login, config: Config, address: str, password: str) -> None:
    """Add a person, whose password is kept as a hash."""
    hashed = await Passwords(config).hash_password(password)
    user = dataclasses.replace(UserMetadata(config, address), password=hashed)
    await Identity(address, login, None, frozenset()).set(user)
