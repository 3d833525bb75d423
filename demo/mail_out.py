"""Where the demo's worker hands mail over: nothing leaves this machine, and all of it can be read.

Mail to a mailbox of the demo is put there; every mail also becomes a file, and a line on the
terminal. An address of the demo's domain that nobody has is refused, as a mail server would.
"""

import asyncio
import itertools
import logging
import secrets
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from imapclient import IMAPClient

from demo.certificates import Certificates
from demo.mail_server import HOST, MailServer

SENDER = "handfast@example.org"
REFUSED = "550 5.1.1 nobody has this mailbox"


@contextmanager
def serve(
    certificates: Certificates,
    mail: MailServer,
    mailboxes: Mapping[str, str],
    folder: Path,
) -> Iterator[dict[str, str]]:
    """Take mail until the block ends; yields the settings that only the worker is given."""
    password = secrets.token_urlsafe(16)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.chain, certificates.key)
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
    controller = Controller(
        PostOffice(certificates, mail, mailboxes, folder),
        hostname=HOST,
        port=port,
        # TLS from the first byte, of which the library does not know.
        ssl_context=context,
        auth_require_tls=False,
        authenticator=lambda *asked: AuthResult(
            success=asked[-1] == LoginPassword(SENDER.encode(), password.encode()), handled=False
        ),
        enable_SMTPUTF8=True,
    )
    # It warns about a name of its own that it uses itself.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    controller.start()
    try:
        yield {
            "HANDFAST_SMTP_HOST": "localhost",
            "HANDFAST_SMTP_PORT": str(port),
            "HANDFAST_SMTP_USERNAME": SENDER,
            "HANDFAST_SMTP_PASSWORD": password,
            "HANDFAST_MAIL_FROM": f"Handfast <{SENDER}>",
            "HANDFAST_MAIL_CA": str(certificates.authority),
        }
    finally:
        controller.stop()


class PostOffice:
    """Takes mail from who has signed in, and puts it where it can be read."""

    def __init__(
        self,
        certificates: Certificates,
        mail: MailServer,
        mailboxes: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._authority, self._mail = certificates.authority, mail
        self._mailboxes, self._folder = mailboxes, folder
        self._numbers = itertools.count(1)

    async def handle_RCPT(  # noqa: N802  # the library calls it so
        self,
        _server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Refuse strangers, and mailboxes that the demo's domain does not have."""
        if not session.authenticated:
            return "530 5.7.0 sign in first"
        if self._is_ours(address) and address not in self._mailboxes:
            return REFUSED
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802  # the library calls it so
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Put a mail into its mailbox, into the folder and on the terminal."""
        raw = envelope.original_content or b""
        for address in envelope.rcpt_tos:
            if address in self._mailboxes:
                await asyncio.to_thread(self._append, address, raw)
            self._show(address, raw)
        return "250 2.0.0 taken"

    def _is_ours(self, address: str) -> bool:
        domains = {mailbox.rpartition("@")[2] for mailbox in self._mailboxes}
        return address.rpartition("@")[2] in domains

    def _append(self, address: str, raw: bytes) -> None:
        context = ssl.create_default_context(cafile=str(self._authority))
        with IMAPClient(self._mail.host, self._mail.port, ssl_context=context) as client:
            client.plain_login(address, self._mailboxes[address])
            client.append("INBOX", raw)

    def _show(self, address: str, raw: bytes) -> None:
        message = message_from_bytes(raw, policy=default)
        file = self._folder / f"{next(self._numbers):03}.eml"
        file.write_bytes(raw)
        print(f"     mail to {address}: {message['Subject']}   {file}", flush=True)
