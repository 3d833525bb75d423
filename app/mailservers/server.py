"""A mail server as found: how to reach it, what it wants, whether it may vouch for its domain."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from app.mailservers.address import MailAddress
from app.mailservers.provider import Credential, Provider, UsernameForm

Security = Literal["tls", "starttls"]


class VouchedBy(StrEnum):
    """Who says that this mail server rightly serves this domain; MANUAL proves nothing."""

    PIN = "pin"
    TABLE = "table"
    AUTOCONFIG = "autoconfig"
    SRV = "srv"
    MANUAL = "manual"
    # No mail server has been asked: staff set the account up, or its reader answered a mail.
    STAFF = "staff"
    CHALLENGE = "challenge"


class FoundBy(StrEnum):
    """The step of discovery that named the server, in the order they are tried."""

    PIN = "pin"
    TABLE = "table"
    TABLE_MX = "table-mx"
    AUTOCONFIG = "autoconfig"
    SRV = "srv"
    MX_DOMAIN = "mx-domain"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class MailPin:
    """An administrator's word for a domain: host, port and CA; bypasses the network rules."""

    host: str
    port: int
    security: Security = "tls"
    ca_pem: str | None = None
    username_form: UsernameForm = "address"
    credential: Credential = Credential.PASSWORD


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is sent from, by the word of whoever named the mail server; never asked by us."""

    host: str
    port: int
    security: Security


Pins = Callable[[str], MailPin | None]
"""Look up the pin of a normalised (ASCII) mail domain."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """One mail server for one mail domain. Only one that is vouched for may sign anyone in."""

    domain: str
    host: str
    port: int
    security: Security
    username_form: UsernameForm
    credential: Credential
    vouched_by: VouchedBy
    found_by: FoundBy
    certificate_name: str
    ca_pem: str | None = None
    provider: Provider | None = None
    smtp: SmtpServer | None = None

    @property
    def may_sign_in(self) -> bool:
        """Whether an accepted credential proves that the address is the person's."""
        return self.vouched_by is not VouchedBy.MANUAL

    @property
    def pinned(self) -> bool:
        """Whether an administrator named it: such a server may be in a private network."""
        return self.vouched_by is VouchedBy.PIN

    def username_for(self, address: MailAddress) -> str:
        """The name this server knows the mailbox by."""
        return address.local if self.username_form == "local-part" else address.text


def manual(domain: str, host: str, port: int, security: Security) -> MailServer:
    """A server that a person typed in: it never vouches for anybody."""
    return MailServer(
        domain=domain,
        host=host,
        port=port,
        security=security,
        username_form="address",
        credential=Credential.PASSWORD,
        vouched_by=VouchedBy.MANUAL,
        found_by=FoundBy.MANUAL,
        certificate_name=host,
    )


def from_pin(domain: str, pin: MailPin) -> MailServer:
    """The server an administrator pinned for a domain."""
    return MailServer(
        domain=domain,
        host=pin.host,
        port=pin.port,
        security=pin.security,
        username_form=pin.username_form,
        credential=pin.credential,
        vouched_by=VouchedBy.PIN,
        found_by=FoundBy.PIN,
        certificate_name=pin.host,
        ca_pem=pin.ca_pem,
    )


def from_provider(domain: str, provider: Provider, found_by: FoundBy) -> MailServer:
    """The server of a provider in the built-in table."""
    return MailServer(
        domain=domain,
        host=provider.imap_host,
        port=provider.imap_port,
        security="tls",
        username_form=provider.username_form,
        credential=provider.credential,
        vouched_by=VouchedBy.TABLE,
        found_by=found_by,
        certificate_name=provider.imap_host,
        provider=provider,
        smtp=smtp_of(provider),
    )


def smtp_of(provider: Provider) -> SmtpServer:
    """The sending side of a provider; port 465 is for TLS from the first byte (RFC 8314)."""
    security: Security = "tls" if provider.smtp_port == 465 else "starttls"
    return SmtpServer(provider.smtp_host, provider.smtp_port, security)
