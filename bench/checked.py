"""Whole activations with TLS and a real IMAP check in front: what a person causes who signs in."""

import os
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPSConnection
from pathlib import Path

from bench import load, servers, world
from bench.report import Line, note
from demo import certificates
from demo import mail_server as demo_mail
from demo.house import PEOPLE
from protocol.encoding import b64u
from protocol.signing import SigningKey
from tests.peers.ca import CertificateFiles
from tests.peers.dovecot import dovecot

ROUNDS = 3
ACTIVATIONS = 160
CLIENTS = 8
PER_CORE_SECOND = 200
PASSWORD = "correct horse battery staple"


class Checked:
    """Portal and exchange as two processes over one database, and a mail server here."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._certificates = certificates.provide(folder / "certificates")
        mail_port = mail_server(stack, self._certificates)
        self.world = world.build(folder / "checked", ACTIVATIONS)
        self.portal = stack.enter_context(
            servers.checking(self.world, self._certificates, mail_port)
        )
        self.exchange = stack.enter_context(servers.ours(self.world))
        self._tls = ssl.create_default_context(cafile=self._certificates.authority)

    def round(self, activations: int) -> tuple[float, float]:
        """Return seconds of CPU per activation, of portal and exchange."""
        before = self.portal.cpu_seconds(), self.exchange.cpu_seconds()
        waiting = iter(range(activations))
        lock = threading.Lock()

        def devices() -> None:
            identity = SigningKey.generate(entropy=os.urandom)
            with load.connected(self.exchange.port, []) as post:
                while True:
                    with lock:
                        number = next(waiting, None)
                    if number is None:
                        break
                    document = self._issue(self.world.owners[number % len(self.world.owners)])
                    load.exchange(document, self.world.key_set, identity, post)

        load.together([devices] * CLIENTS)
        portal, exchange = (
            server.cpu_seconds() - then
            for server, then in zip((self.portal, self.exchange), before, strict=True)
        )
        return portal / activations, exchange / activations

    def _issue(self, owner: world.Owner) -> bytes:
        """A new TLS connection, a credential, a document."""
        connection = HTTPSConnection("localhost", self.portal.port, timeout=60, context=self._tls)
        ticket = b64u(os.urandom(16))
        lines = (owner.person_id, owner.service_id, ticket, PEOPLE[0], PASSWORD)
        try:
            connection.request("POST", "/issue", "\n".join(lines).encode())
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise load.HttpError(f"/issue: {answer.status}")
        return content


def mail_server(stack: ExitStack, files: certificates.Certificates) -> int:
    """Start one until the stack ends and return its port; its CPU is not counted."""
    users = {PEOPLE[0]: PASSWORD}
    try:
        real = dovecot(users, CertificateFiles(files.chain, files.key))
        return stack.enter_context(real).tls_port
    except RuntimeError as error:
        note(f"{error}: the demo's mail server answers, which is slow")
        return stack.enter_context(demo_mail.serve(files.chain, files.key, users)).port


def measure(rounds: int = ROUNDS, activations: int = ACTIVATIONS) -> Iterator[Line]:
    """Each document over a new TLS connection, after a new IMAP connection over verified TLS."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="handfast-bench-")))
        checked = Checked(stack, folder)
        checked.round(4 * CLIENTS)
        portal, exchange = sorted(checked.round(activations) for _ in range(rounds))[rounds // 2]
    rate = 1 / (portal + exchange)
    note(f"{CLIENTS} people at once; a new TLS and a new IMAP connection for each document")
    note("counted: the process trees of portal and exchange; not the mail server, not the devices")
    yield Line(
        "whole activation with TLS and a real IMAP check",
        f"{rate:.0f} per core-second",
        f"portal {portal * 1e6:.0f} µs (TLS, mail check, issue), exchange {exchange * 1e6:.0f} µs",
        f"≥ {PER_CORE_SECOND} per core-second",
        rate >= PER_CORE_SECOND,
    )
