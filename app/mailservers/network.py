"""Connections to hosts that other people name: resolve once, check every address, then connect."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.names import IPAddress, Names

MAIL_PORTS: Final = frozenset({143, 993, 465, 587})
HTTPS_PORT: Final = 443
CONNECT_SECONDS: Final = 5.0
MAX_ADDRESSES: Final = 4

# `is_global` lets these pass: they reach into other address families or special services.
_REFUSED_V4: Final = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_REFUSED_V6: Final = tuple(
    map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/23", "2002::/16"))
)
_UNICAST_V6: Final = ipaddress.IPv6Network("2000::/3")


def is_public(address: IPAddress) -> bool:
    """Whether this is an ordinary address on the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _UNICAST_V6 or any(address in net for net in _REFUSED_V6):
            return False
    elif any(address in net for net in _REFUSED_V4):
        return False
    return address.is_global and not address.is_multicast


@dataclass(frozen=True, slots=True)
class Network:
    """The rules for hosts that no administrator pinned. The defaults are the only safe ones.

    `address_allowed`, `mail_ports`, `https_port` and `ca_pem` differ from them in tests alone.
    """

    names: Names = field(default_factory=Names)
    address_allowed: Callable[[IPAddress], bool] = is_public
    mail_ports: frozenset[int] = MAIL_PORTS
    https_port: int = HTTPS_PORT
    ca_pem: str | None = None

    def connect_mail(self, host: str, port: int, deadline: Deadline) -> socket.socket:
        """Connect to a mail port of a host whose addresses are all public."""
        if port not in self.mail_ports:
            raise MailCheckError(Cause.REFUSED_ADDRESS, f"port {port} is not a mail port")
        return _connect(self._checked(host, deadline), port, deadline)

    def connect_https(self, host: str, deadline: Deadline) -> socket.socket:
        """Connect to the HTTPS port of a host whose addresses are all public."""
        return _connect(self._checked(host, deadline), self.https_port, deadline)

    def _checked(self, host: str, deadline: Deadline) -> tuple[IPAddress, ...]:
        """Resolve once; one address that is not allowed refuses the whole name."""
        addresses = _literal(host) or self.names.addresses(host, deadline)
        for address in addresses:
            if not self.address_allowed(address):
                raise MailCheckError(Cause.REFUSED_ADDRESS, f"{host} is at {address}")
        return addresses


def connect_pinned(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to a host that an administrator pinned, resolved as this machine resolves names."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise MailCheckError(Cause.NAME_NOT_FOUND, f"no address for pinned {host}") from error
    addresses = dict.fromkeys(str(each[4][0]) for each in found)
    return _connect(tuple(ipaddress.ip_address(text) for text in addresses), port, deadline)


@lru_cache(maxsize=64)
def tls_context(ca_pem: str | None) -> ssl.SSLContext:
    """A verifying context, made once per CA: making one costs twenty times a whole mail check."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=ca_pem)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _literal(host: str) -> tuple[IPAddress, ...]:
    """The address that the host name already is, if it is one."""
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        return ()


def _connect(addresses: tuple[IPAddress, ...], port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first of these addresses that answers."""
    detail = "no address"
    for address in addresses[:MAX_ADDRESSES]:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(CONNECT_SECONDS, deadline.remaining()))
            connection.connect((str(address), port))
        except OSError as error:
            connection.close()
            detail = f"{address} port {port}: {error.strerror or 'timed out'}"
            continue
        # Our commands go out in pieces; waiting to join them costs 40 ms a piece.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    raise MailCheckError(Cause.NOT_REACHABLE, detail)
