"""Hosts named by other people lead to the public internet or nowhere."""

import ipaddress
import socket

import pytest

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.names import Names
from app.mailservers.network import MAIL_PORTS, Network, is_public, tls_context
from tests.app.mailservers.conftest import NetworkMaker
from tests.peers.dns_server import dns_server
from tests.peers.scripted import scripted_server


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - an address to refuse, not to bind
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.0.9",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "fc00::1",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_the_default_network_has_the_strict_rules() -> None:
    network = Network()
    assert network.address_allowed is is_public
    assert network.mail_ports == MAIL_PORTS == {143, 993, 465, 587}
    assert network.https_port == 443
    assert network.ca_pem is None


@pytest.mark.parametrize("records", [["A 10.0.0.1"], ["A 8.8.8.8", "A 10.0.0.1"], ["AAAA ::1"]])
def test_one_private_address_refuses_the_whole_name(records: list[str]) -> None:
    with dns_server({"imap.example.org": records}) as dns:
        network = Network(names=Names("127.0.0.1", dns.port))
        with pytest.raises(MailCheckError) as raised:
            network.connect_mail("imap.example.org", 993, Deadline(5))
    assert raised.value.cause is Cause.REFUSED_ADDRESS


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "169.254.169.254"])
def test_an_address_instead_of_a_name_is_checked_too(host: str) -> None:
    with pytest.raises(MailCheckError) as raised:
        Network().connect_mail(host, 993, Deadline(5))
    assert raised.value.cause is Cause.REFUSED_ADDRESS


@pytest.mark.parametrize("port", [22, 25, 80, 443, 6379])
def test_other_ports_are_refused_before_any_question(port: int) -> None:
    with dns_server({"imap.example.org": ["A 8.8.8.8"]}) as dns:
        network = Network(names=Names("127.0.0.1", dns.port))
        with pytest.raises(MailCheckError) as raised:
            network.connect_mail("imap.example.org", port, Deadline(5))
    assert raised.value.cause is Cause.REFUSED_ADDRESS
    assert dns.asked == []


def test_a_name_is_resolved_once_so_rebinding_changes_nothing(internet: NetworkMaker) -> None:
    zone = {"imap.example.org": ["A 127.0.0.1 then 127.0.0.2"]}
    with scripted_server(lambda _: None) as port, dns_server(zone) as dns:
        connection = internet(dns.port, port).connect_mail("imap.example.org", port, Deadline(5))
        with connection:
            assert connection.getpeername() == ("127.0.0.1", port)
    assert dns.asked.count("imap.example.org A") == 1


def test_a_name_that_does_not_exist_is_told_apart() -> None:
    with dns_server({}) as dns, pytest.raises(MailCheckError) as raised:
        Names("127.0.0.1", dns.port).addresses("imap.example.org", Deadline(5))
    assert raised.value.cause is Cause.NAME_NOT_FOUND


def test_a_slow_resolver_leaves_it_undecided() -> None:
    zone = {"imap.example.org": ["A 8.8.8.8"]}
    with dns_server(zone, delay=1.0) as dns, pytest.raises(MailCheckError) as raised:
        Names("127.0.0.1", dns.port).addresses("imap.example.org", Deadline(0.3))
    assert raised.value.cause is Cause.UNDECIDED


def test_a_closed_port_is_not_reachable(internet: NetworkMaker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    zone = {"imap.example.org": ["A 127.0.0.1"]}
    with dns_server(zone) as dns, pytest.raises(MailCheckError) as raised:
        internet(dns.port, port).connect_mail("imap.example.org", port, Deadline(5))
    assert raised.value.cause is Cause.NOT_REACHABLE


def test_a_tls_context_is_made_once() -> None:
    assert tls_context(None) is tls_context(None)
    assert tls_context(None).check_hostname
