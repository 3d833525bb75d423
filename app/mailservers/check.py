"""Check a credential against a real IMAP server, once, within a deadline, and forget it."""

import contextlib
import ipaddress
import logging
import re
from dataclasses import dataclass
from typing import Final

from imapclient.exceptions import IMAPClientError

from app.mailservers.address import AddressError, MailAddress, single_line
from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.imap import Client, Conversation, connected
from app.mailservers.network import Network
from app.mailservers.progress import Progress, Stage, silent
from app.mailservers.provider import Credential
from app.mailservers.server import MailServer

MAX_PASSWORD_OCTETS: Final = 4096

_log = logging.getLogger(__name__)
_CODE = re.compile(rb"\[([A-Za-z0-9-]+)")
# RFC 5530: the server could not or would not decide, so the credential may well be right.
_UNDECIDED_CODES: Final = frozenset(
    {b"UNAVAILABLE", b"INUSE", b"LIMIT", b"SERVERBUG", b"OVERQUOTA"}
)


@dataclass(frozen=True, slots=True)
class Checked:
    """A server accepted a credential for this user name."""

    server: MailServer
    username: str

    def proves(self, address: MailAddress) -> bool:
        """Whether the person has shown that this very address is theirs."""
        return (
            self.server.may_sign_in
            and self.server.domain == address.domain
            and self.server.username_for(address) == self.username
        )


def check(
    server: MailServer,
    username: str,
    password: str,
    *,
    deadline: Deadline,
    client_address: str | None = None,
    progress: Progress = silent,
    network: Network | None = None,
) -> Checked:
    """Return that the server accepts the credential, or raise MailCheckError with the cause.

    `client_address` is the person's own IP address, told to pinned servers so that their brake on
    guessing hits the guesser; `network` is given by tests alone.
    """
    if server.credential is Credential.OAUTH_ONLY:
        raise MailCheckError(Cause.NEEDS_PROVIDER_SIGN_IN, f"{server.host} takes no passwords")
    _refuse_unsendable(username, password)
    seen = Conversation()
    try:
        with connected(server, network or Network(), deadline, progress, seen) as client:
            _introduce(client, server, client_address)
            progress(Stage.SIGNING_IN)
            _sign_in(client, seen, username, password)
    except MailCheckError as error:
        _log.info("mail check at %s port %d: %s", server.host, server.port, error)
        raise
    return Checked(server, username)


def _refuse_unsendable(username: str, password: str) -> None:
    """No server accepts these; sent raw they would be further IMAP commands."""
    try:
        octets = len(single_line(password).encode())
        sendable = bool(single_line(username)) and 0 < octets <= MAX_PASSWORD_OCTETS
    except AddressError:
        sendable = False
    if not sendable:
        raise MailCheckError(Cause.WRONG_CREDENTIAL, "empty, too long, or with a line break")


def _introduce(client: Client, server: MailServer, client_address: str | None) -> None:
    """Tell a pinned server whom we ask for, if it wants to know."""
    if not (server.pinned and client_address and "ID" in client.connection.capabilities):
        return
    # A server that does not like the introduction may still know the credential.
    with contextlib.suppress(IMAPClientError, ValueError):
        client.id_({"x-originating-ip": str(ipaddress.ip_address(client_address))})


def _sign_in(client: Client, seen: Conversation, username: str, password: str) -> None:
    """SASL PLAIN, which carries every password; the tagged answer alone is the verdict."""
    offered = client.connection.capabilities
    mechanisms = {name for name in offered if name.startswith("AUTH=")}
    if mechanisms and mechanisms <= {"AUTH=XOAUTH2", "AUTH=OAUTHBEARER", "AUTH=PLAIN-CLIENTTOKEN"}:
        raise MailCheckError(Cause.NEEDS_PROVIDER_SIGN_IN, "only OAuth is offered")
    seen.expect_answer()
    failure: Exception | None = None
    try:
        client.plain_login(username, password)
    except IMAPClientError as error:
        failure = error
    if seen.answered is None:
        raise seen.fault(failure or ValueError("no answer"))
    _, verdict, words = seen.answered
    if failure is not None or verdict != "OK":
        raise _refusal(words, plain_offered="AUTH=PLAIN" in mechanisms)


def _refusal(words: bytes, *, plain_offered: bool) -> MailCheckError:
    """The cause behind a NO; the server's own words are not repeated to anybody."""
    code = _CODE.match(words)
    name = code[1].upper() if code else b""
    text = words.lower()
    if b"application-specific password" in text or b"app password" in text:
        return MailCheckError(Cause.NEEDS_APP_PASSWORD, "the server asks for an app password")
    if name == b"WEBALERT" or b"web login required" in text or b"web browser" in text:
        return MailCheckError(Cause.NEEDS_PROVIDER_SIGN_IN, "the server asks for a web login")
    if name in _UNDECIDED_CODES or not plain_offered:
        return MailCheckError(Cause.UNDECIDED, f"the server would not decide ({name.decode()})")
    return MailCheckError(Cause.WRONG_CREDENTIAL, "the server said no")
