"""Network addresses: which one a request comes from, and which ones count as one sender."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final, TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxies:
    """The proxies whose word about the client counts, as addresses and networks."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted: Final = tuple(ipaddress.ip_network(each) for each in trusted)

    def trust(self, address: Address | None) -> bool:
        """Tell whether an address is one of these proxies."""
        return any(address in network for network in self._trusted if address is not None)

    def client(self, near: str, untrusted_forwarded_for: str) -> Address | None:
        """Return the first address, from the near end, that is no proxy of ours; None if odd.

        ``near`` is the other end of the connection; what lies beyond the first stranger is only
        what that stranger says.
        """
        hops = [hop.strip() for hop in untrusted_forwarded_for.split(",") if hop.strip()]
        address = parse(near)
        while hops and self.trust(address):
            address = parse(hops.pop())
        return address


def parse(untrusted: str) -> Address | None:
    """Return the address, an IPv4 one where IPv6 only carries it; None if it is none."""
    try:
        address = ipaddress.ip_address(untrusted)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def sender(untrusted: str) -> str:
    """Return what an address counts as: itself, or its /64 when it is an IPv6 one."""
    address = parse(untrusted.partition("%")[0])
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        # Who has one address of a /64 has all of them to choose from.
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
