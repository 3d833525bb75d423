"""One CA, and a network whose loopback stands for the internet, for the tests of this folder."""

import ipaddress
from collections.abc import Callable, Iterator

import pytest

from app.mailservers.names import IPAddress, Names
from app.mailservers.network import Network
from tests.peers.ca import CertificateAuthority, certificate_authority

NetworkMaker = Callable[..., Network]


@pytest.fixture(scope="session")
def ca() -> Iterator[CertificateAuthority]:
    """A CA that only these tests trust."""
    with certificate_authority() as authority:
        yield authority


@pytest.fixture
def internet(ca: CertificateAuthority) -> NetworkMaker:
    """Make a network with a DNS server's port, mail ports and an HTTPS port of the test's own."""

    def make(dns_port: int, *mail_ports: int, https_port: int = 9) -> Network:
        return Network(
            names=Names("127.0.0.1", dns_port),
            address_allowed=only_loopback_one,
            mail_ports=frozenset(mail_ports),
            https_port=https_port,
            ca_pem=ca.pem,
        )

    return make


def only_loopback_one(address: IPAddress) -> bool:
    """In these tests 127.0.0.1 is the whole internet; 127.0.0.2 is somebody's own network."""
    return address == ipaddress.ip_address("127.0.0.1")
