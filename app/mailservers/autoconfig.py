"""A mail domain's own configuration file over HTTPS: fetched without trust, read without mercy."""

import http.client
import io
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, cast
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.mailservers.address import AddressError, normalise_domain
from app.mailservers.causes import MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.network import HTTPS_PORT, Network, tls_context
from app.mailservers.provider import Credential, UsernameForm
from app.mailservers.server import Security, SmtpServer
from app.mailservers.stream import BoundedReader, start_tls

MAX_DOCUMENT: Final = 64 * 1024
_MAX_RESPONSE: Final = MAX_DOCUMENT + 16 * 1024
_FETCH_SECONDS: Final = 4.0
# Nobody but devices will connect there.
_SUBMISSION_PORTS: Final = frozenset({465, 587})
_SECURITY: Final[dict[str, Security]] = {"SSL": "tls", "STARTTLS": "starttls"}
_USERNAME: Final[dict[str, UsernameForm]] = {
    "%EMAILADDRESS%": "address",
    "%EMAILLOCALPART%": "local-part",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Configured:
    """One IMAP server that a configuration file offers, and the SMTP server beside it."""

    host: str
    port: int
    security: Security
    username_form: UsernameForm
    credential: Credential
    smtp: SmtpServer | None = None


def look_up(
    configured_by: str, domain: str, network: Network, deadline: Deadline
) -> Configured | None:
    """The server that the configuration at `configured_by` names for mail of `domain`, if any.

    The person's address is no part of the question.
    """
    places = (
        (f"autoconfig.{configured_by}", "/mail/config-v1.1.xml"),
        (configured_by, "/.well-known/autoconfig/mail/config-v1.1.xml"),
    )
    for host, path in places:
        try:
            document = _fetch(host, path, network, deadline.within(_FETCH_SECONDS))
        except (MailCheckError, OSError, http.client.HTTPException, ValueError) as error:
            _log.info("no configuration at %s: %s", host, type(error).__name__)
            continue
        found = None if document is None else read(document, domain, network.mail_ports)
        if found is not None:
            return found
    return None


def read(untrusted: bytes, domain: str, ports: frozenset[int]) -> Configured | None:
    """The best IMAP server in a configuration: implicit TLS before STARTTLS, never without."""
    try:
        root = fromstring(untrusted, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    if root.tag != "clientConfig":
        return None
    found = _best(root, "incomingServer[@type='imap']", domain, ports)
    if found is None:
        return None
    sending = _best(root, "outgoingServer[@type='smtp']", domain, _SUBMISSION_PORTS)
    if sending is None or sending.username_form != found.username_form:
        return found
    return replace(found, smtp=SmtpServer(sending.host, sending.port, sending.security))


def _best(root: Element, kind: str, domain: str, ports: frozenset[int]) -> Configured | None:
    offers = list(_offers(root, kind, domain, ports))
    return min(offers, key=lambda offer: offer.security == "starttls", default=None)


def _offers(root: Element, kind: str, domain: str, ports: frozenset[int]) -> Iterator[Configured]:
    """Every server of a kind that we could use; what is odd about one leaves it out."""
    for each in root.findall(f"./emailProvider/{kind}"):
        port = _text(each, "port")
        security = _SECURITY.get(_text(each, "socketType").upper())
        username_form = _USERNAME.get(_text(each, "username"))
        credential = _credential(each)
        if security is None or username_form is None or credential is None:
            continue
        if not (port.isascii() and port.isdecimal() and len(port) < 6 and int(port) in ports):
            continue
        try:
            host = normalise_domain(_text(each, "hostname").replace("%EMAILDOMAIN%", domain))
        except AddressError:
            continue
        yield Configured(host, int(port), security, username_form, credential)


def _credential(server: Element) -> Credential | None:
    """The kind of credential a server takes, if it is one we can send."""
    kinds = {(each.text or "").strip() for each in server.findall("authentication")}
    if kinds & {"password-cleartext", "plain"}:
        return Credential.PASSWORD
    return Credential.OAUTH_ONLY if "OAuth2" in kinds else None


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(name) or "").strip()


def _fetch(host: str, path: str, network: Network, deadline: Deadline) -> bytes | None:
    """GET one document over verified HTTPS; a redirect or an HTML page is no configuration."""
    plain = network.connect_https(host, deadline)
    with plain, deadline.watching(plain):
        secured = start_tls(plain, tls_context(network.ca_pem), host, deadline)
        with secured, deadline.watching(secured):
            port = "" if network.https_port == HTTPS_PORT else f":{network.https_port}"
            secured.settimeout(deadline.remaining())
            secured.sendall(
                f"GET {path} HTTP/1.1\r\nHost: {host}{port}\r\nAccept: text/xml\r\n"
                "User-Agent: Handfast\r\nConnection: close\r\n\r\n".encode("ascii")
            )
            return _document(BoundedReader(secured, deadline, _MAX_RESPONSE))


def _document(source: BoundedReader) -> bytes | None:
    response = http.client.HTTPResponse(cast(socket.socket, _Readable(source)))
    response.begin()
    if response.status != http.client.OK or "html" in response.headers.get_content_type():
        return None
    document = response.read(MAX_DOCUMENT + 1)
    return document if len(document) <= MAX_DOCUMENT else None


class _Readable:
    """As much of a socket as the standard library's HTTP response wants."""

    def __init__(self, source: BoundedReader) -> None:
        self._source = source

    def makefile(self, mode: str) -> "io.BufferedReader[BoundedReader]":
        """The bounded reader, whatever the mode."""
        del mode
        return io.BufferedReader(self._source)
