"""The demo's mail server in this process: pymap with several mailboxes over implicit TLS."""

import asyncio
import socket
import ssl
import threading
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from proxyprotocol.reader import ProxyProtocolReader
from pymap.backend.dict import Config, Identity, Login
from pymap.concurrent import Subsystem
from pymap.imap import IMAPServer
from pymap.user import Passwords, UserMetadata
from pysasl.hashing import BuiltinHash

from tests.peers.ca import CertificateFiles


@dataclass(frozen=True)
class PymapServer:
    """Where the running server listens."""

    host: str
    port: int


@contextmanager
def pymap_server(
    users: Mapping[str, str], certificate: CertificateFiles, *, port: int = 0
) -> Iterator[PymapServer]:
    """Serve these mailboxes (user name to password) until the block ends."""
    running = _Running(users, certificate, port)
    thread = threading.Thread(target=asyncio.run, args=(running.serve(),), name="pymap")
    thread.start()
    try:
        if not running.ready.wait(20):
            raise RuntimeError("the mail server did not start")
        yield PymapServer("127.0.0.1", running.port)
    finally:
        running.end()
        thread.join(10)


class _Config(Config):
    """The dict backend's settings with a greeting that asks no resolver for our name."""

    greeting = b"Mail server ready"


class _Running:
    """One server in its own thread and event loop."""

    def __init__(self, users: Mapping[str, str], certificate: CertificateFiles, port: int) -> None:
        self.ready = threading.Event()
        self._users = users
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate.chain, certificate.key)
        # asyncio only sends at once (TCP_NODELAY) on sockets that say they are TCP.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]

    async def serve(self) -> None:
        """Serve until `end`."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        config = _config()
        config.apply_context()
        login = Login(config)
        for name, password in self._users.items():
            hashed = await Passwords(config).hash_password(password)
            user = UserMetadata(config, name, password=hashed)
            await Identity(name, login, None, frozenset()).set(user)
        reader = ProxyProtocolReader(config.proxy_protocol)
        callback = reader.get_callback(IMAPServer(login, config))
        server = await asyncio.start_server(callback, sock=self._listener, ssl=self._context)
        async with server:
            self.ready.set()
            await self._stop.wait()

    def end(self) -> None:
        """Stop serving."""
        if self.ready.is_set():
            self._loop.call_soon_threadsafe(self._stop.set)


def _config() -> _Config:
    return _Config(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host="127.0.0.1",
        port=0,
        tls_enabled=False,
        # The mailboxes are made up and live in memory: hashing would only slow a sign-in down.
        hash_context=BuiltinHash(rounds=1),
        # Working in the event loop needs no thread pool that would outlive the server.
        cpu_subsystem=Subsystem.for_asyncio(),
        invalid_user_sleep=0.0,
        demo_data=False,
        demo_user="",
        demo_password="",
    )
