"""The one form of an issuer and of an exchange's URL: a serialised origin; docs/protocol.md 3.4."""

import ipaddress
import re
from typing import Final

MAX_LENGTH: Final = 254

_ORIGIN: Final = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?")
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Browsers read a host that ends so as an IPv4 address, whatever stands before.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORT: Final = {"http": "80", "https": "443"}


def is_issuer(text: str) -> bool:
    """Whether `text` is a serialised https origin, the only form an issuer has."""
    return text.startswith("https:") and is_exchange_url(text)


def is_exchange_url(text: str) -> bool:
    """Whether `text` is a serialised http or https origin: no user, path, query or default port."""
    match = _ORIGIN.fullmatch(text)
    if match is None or len(text) > MAX_LENGTH:
        return False
    scheme, host, port = match.groups()
    if port is not None and (port == _DEFAULT_PORT[scheme] or int(port) > 65_535):
        return False
    return is_host(host)


def is_host(text: str) -> bool:
    """Whether `text` is a host as it stands in an origin: a name, an IPv4 or [IPv6] address."""
    if text.startswith("["):
        return text.endswith("]") and _is_ipv6(text[1:-1])
    return len(text) <= MAX_LENGTH and _is_name_or_ipv4(text)


def _is_name_or_ipv4(host: str) -> bool:
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _is_ipv4(host)
    return all(_LABEL.fullmatch(label) for label in labels)


def _is_ipv4(host: str) -> bool:
    try:
        return str(ipaddress.IPv4Address(host)) == host
    except ValueError:
        return False


def _is_ipv6(host: str) -> bool:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        return False
    # A mapped address has a second spelling, and Python's choice of it changed.
    return address.ipv4_mapped is None and str(address) == host
