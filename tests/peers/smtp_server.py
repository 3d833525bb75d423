"""A submission server in this process that does as a test says: TLS, sign-in, any answer."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.peers.ca import CertificateFiles

USER, PASSWORD = "handfast@example.org", "submission secret"


@dataclass(frozen=True)
class Taken:
    """One mail that the server took: its envelope and its content."""

    sender: str
    recipient: str
    message: EmailMessage
    raw: bytes


@dataclass
class SubmissionServer:
    """What it took, and what it answers to a recipient or to a mail for one."""

    port: int
    host: str = "127.0.0.1"
    taken: list[Taken] = field(default_factory=list)
    to_recipient: dict[str, str] = field(default_factory=dict)
    to_mail: dict[str, str] = field(default_factory=dict)
    # Of recipients whose mail is accepted, whereupon the connection is cut.
    silent: set[str] = field(default_factory=set)
    connections: int = 0

    async def handle_EHLO(  # noqa: N802  # the library calls it so
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, said: list[str]
    ) -> list[str]:
        """Count connections."""
        self.connections += 1
        session.host_name = name
        return said

    async def handle_RCPT(  # noqa: N802  # the library calls it so
        self,
        _server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Answer as the test wants, to who has signed in."""
        if not session.authenticated:
            return "530 5.7.0 sign in first"
        envelope.rcpt_tos.append(address)
        return self.to_recipient.get(address, "250 OK")

    async def handle_DATA(  # noqa: N802  # the library calls it so
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the mail, unless the test has another answer."""
        recipient, raw = envelope.rcpt_tos[0], cast(bytes, envelope.content)
        refused = self.to_mail.get(recipient)
        if refused is not None:
            return refused
        message = message_from_bytes(raw, policy=default)
        self.taken.append(Taken(str(envelope.mail_from), recipient, message, raw))
        if recipient in self.silent and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 taken"


@contextmanager
def submission_server(
    certificate: CertificateFiles, *, starttls: bool = False, any_script: bool = True
) -> Iterator[SubmissionServer]:
    """Serve until the block ends, with TLS from the first byte unless STARTTLS is wanted.

    ``any_script`` says whether it takes addresses with letters outside ASCII.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    running = SubmissionServer(port)
    options: dict[str, Any] = (
        {"tls_context": context, "require_starttls": True}
        if starttls
        # The library does not know of the TLS around it.
        else {"ssl_context": context, "auth_require_tls": False}
    )
    controller = Controller(
        running,
        hostname=running.host,
        port=port,
        authenticator=_authenticate,
        enable_SMTPUTF8=any_script,
        **options,
    )
    controller.start()
    try:
        yield running
    finally:
        controller.stop()


def _authenticate(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (
        USER.encode(),
        PASSWORD.encode(),
    )
    return AuthResult(success=good, handled=False)
