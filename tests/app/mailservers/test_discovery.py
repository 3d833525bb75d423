"""Discovery asks in mail.md's order, and only those who may vouch do."""

import socket
import time
from dataclasses import dataclass

import pytest

from app.mailservers.address import parse
from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.discovery import discover
from app.mailservers.names import Names
from app.mailservers.network import Network
from app.mailservers.progress import Stage
from app.mailservers.provider import Credential
from app.mailservers.server import FoundBy, MailPin, MailServer
from tests.app.mailservers.conftest import NetworkMaker
from tests.app.mailservers.test_autoconfig_document import document
from tests.peers.ca import CertificateAuthority
from tests.peers.dns_server import Zone, dns_server
from tests.peers.https_server import Answer, https_server
from tests.peers.pymap_server import pymap_server
from tests.peers.scripted import scripted_server

HERE = "A 127.0.0.1"
AUTOCONFIG = "autoconfig.example.org/mail/config-v1.1.xml"
WELL_KNOWN = "example.org/.well-known/autoconfig/mail/config-v1.1.xml"


def no_pins(_: str) -> MailPin | None:
    """An administrator who pinned nothing."""
    return None


def found(address: str, network: Network, *, seconds: float = 5.0) -> MailServer:
    """What discovery says about an address."""
    return discover(parse(address), pins=no_pins, deadline=Deadline(seconds), network=network)


@dataclass
class World:
    """Whatever the outside looks like in one test."""

    zone: Zone
    answers: dict[str, Answer]


def explored(
    world: World,
    internet: NetworkMaker,
    ca: CertificateAuthority,
    *mail_ports: int,
    names: tuple[str, ...] = ("autoconfig.example.org", "example.org", "autoconfig.hoster.example"),
) -> tuple[MailServer, list[str], list[str]]:
    """The server of ann@example.org, what was asked over HTTPS, and what of the DNS."""
    with (
        https_server(world.answers, ca.issue(*names)) as web,
        dns_server(world.zone) as dns,
    ):
        network = internet(dns.port, 993, 143, *mail_ports, https_port=web.port)
        return found("ann@example.org", network), web.requests, dns.asked


def test_a_pin_goes_first_and_nobody_is_asked() -> None:
    pin = MailPin("mail.internal", 10993, ca_pem="a CA")
    with dns_server({}) as dns:
        server = discover(
            parse("ann@gmail.com"),
            pins={"gmail.com": pin}.get,
            deadline=Deadline(5),
            network=Network(names=Names("127.0.0.1", dns.port)),
        )
    assert dns.asked == []
    assert (server.vouched_by, server.host, server.port) == ("pin", "mail.internal", 10993)
    assert server.ca_pem == "a CA"
    assert server.may_sign_in


def test_a_pin_is_looked_up_by_the_normal_form_of_the_domain() -> None:
    pins = {"xn--bcher-kva.example": MailPin("localhost", 10993)}
    server = discover(parse("ann@BÜCHER.example"), pins=pins.get, deadline=Deadline(5))
    assert server.vouched_by == "pin"


def test_the_table_by_domain_asks_nobody() -> None:
    with dns_server({}) as dns:
        server = found("ann@icloud.com", Network(names=Names("127.0.0.1", dns.port)))
    assert dns.asked == []
    assert (server.vouched_by, server.credential) == ("table", Credential.APP_PASSWORD)
    assert server.username_for(parse("ann@icloud.com")) == "ann"


def test_the_table_by_mx_vouches() -> None:
    with dns_server({"example.org": ["MX 10 aspmx.l.google.com."]}) as dns:
        server = found("ann@example.org", Network(names=Names("127.0.0.1", dns.port)))
    assert (server.host, server.vouched_by) == ("imap.gmail.com", "table")
    assert server.found_by is FoundBy.TABLE_MX
    assert server.domain == "example.org"


def test_an_mx_that_is_only_the_second_choice_does_not_count(internet: NetworkMaker) -> None:
    zone = {"example.org": ["MX 20 aspmx.l.google.com.", "MX 10 mx.example.org."]}
    with dns_server(zone) as dns:
        assert found("ann@example.org", internet(dns.port)).vouched_by == "manual"


@pytest.mark.parametrize("place", [AUTOCONFIG, WELL_KNOWN])
def test_the_domains_own_autoconfig_vouches(
    place: str, internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World(
        {"example.org": [HERE], "autoconfig.example.org": [HERE]}, {place: Answer(document())}
    )
    server, requests, _ = explored(world, internet, ca)
    assert (server.host, server.port, server.vouched_by) == ("imap.example.org", 993, "autoconfig")
    assert not any("ann" in request for request in requests)


def test_autoconfig_that_names_a_known_provider_asks_for_its_credential(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World(
        {"example.org": [HERE], "autoconfig.example.org": [HERE]},
        {AUTOCONFIG: Answer(document(host="imap.fastmail.com"))},
    )
    server, _, _ = explored(world, internet, ca)
    assert server.credential is Credential.APP_PASSWORD
    assert server.provider is not None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(document(), headers={"Content-Type": "text/html"}),
        Answer(b"<html/>"),
        Answer(document() + b" " * 65536),
        Answer(document(), status=404),
        Answer(document(), status=302, headers={"Location": "https://autoconfig.example.org/x"}),
        Answer(document(), status=301, headers={"Location": "http://127.0.0.2/x"}),
    ],
    ids=["html type", "html body", "too long", "not found", "redirect", "redirect elsewhere"],
)
def test_an_odd_answer_is_no_configuration(
    answer: Answer, internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World({"example.org": [], "autoconfig.example.org": [HERE]}, {AUTOCONFIG: answer})
    server, requests, _ = explored(world, internet, ca)
    assert server.found_by is FoundBy.MANUAL
    assert requests == [AUTOCONFIG]


def test_autoconfig_with_a_certificate_for_another_name_is_not_read(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World(
        {"example.org": [HERE], "autoconfig.example.org": [HERE]},
        {AUTOCONFIG: Answer(document()), WELL_KNOWN: Answer(document())},
    )
    server, requests, _ = explored(world, internet, ca, names=("www.evil.example",))
    assert server.found_by is FoundBy.MANUAL
    assert requests == []


def test_autoconfig_at_a_private_address_is_not_asked(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World(
        {"example.org": [], "autoconfig.example.org": ["A 127.0.0.2"]},
        {AUTOCONFIG: Answer(document())},
    )
    server, requests, _ = explored(world, internet, ca)
    assert server.found_by is FoundBy.MANUAL
    assert requests == []


def test_srv_vouches_where_the_certificate_is_the_mail_domains_own(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    with pymap_server({}, ca.issue("example.org")) as mail:
        zone = {
            "example.org": [],
            "_imaps._tcp.example.org": [f"SRV 0 1 {mail.port} imap.hoster.example."],
            "imap.hoster.example": [HERE],
        }
        server, _, _ = explored(World(zone, {}), internet, ca, mail.port)
    assert (server.vouched_by, server.host) == ("srv", "imap.hoster.example")
    assert server.certificate_name == "example.org"


def test_srv_with_the_targets_own_certificate_is_unproven(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    with pymap_server({}, ca.issue("imap.hoster.example")) as mail:
        zone = {
            "example.org": [],
            "_imaps._tcp.example.org": [f"SRV 0 1 {mail.port} imap.hoster.example."],
            "imap.hoster.example": [HERE],
        }
        server, _, _ = explored(World(zone, {}), internet, ca, mail.port)
    assert server.vouched_by == "manual"
    assert server.found_by is FoundBy.SRV
    assert server.certificate_name == "imap.hoster.example"


def test_srv_to_a_private_address_or_another_port_is_not_followed(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    with pymap_server({}, ca.issue("example.org")) as mail:
        zone = {
            "example.org": [],
            "_imaps._tcp.example.org": [f"SRV 0 1 {mail.port} inside.example.org."],
            "_imap._tcp.example.org": ["SRV 0 1 22 outside.example.org."],
            "inside.example.org": ["A 127.0.0.2"],
            "outside.example.org": [HERE],
        }
        server, _, _ = explored(World(zone, {}), internet, ca, mail.port)
    assert server.found_by is FoundBy.MANUAL


def test_the_mx_hosts_domain_never_vouches(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World(
        {"example.org": ["MX 10 mx.hoster.example."], "autoconfig.hoster.example": [HERE]},
        {
            "autoconfig.hoster.example/mail/config-v1.1.xml": Answer(
                document(host="imap.hoster.example")
            )
        },
    )
    server, _, _ = explored(world, internet, ca)
    assert (server.host, server.found_by) == ("imap.hoster.example", FoundBy.MX_DOMAIN)
    assert not server.may_sign_in


@pytest.mark.parametrize("certified", ["imap.hoster.example", "hoster.example", "example.org"])
def test_srv_of_the_mx_hosts_domain_never_vouches(
    certified: str, internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    with pymap_server({}, ca.issue(certified)) as mail:
        zone = {
            "example.org": ["MX 10 mx.hoster.example."],
            "_imaps._tcp.hoster.example": [f"SRV 0 1 {mail.port} imap.hoster.example."],
            "imap.hoster.example": [HERE],
        }
        server, _, _ = explored(World(zone, {}), internet, ca, mail.port)
    assert (server.host, server.found_by) == ("imap.hoster.example", FoundBy.MX_DOMAIN)
    assert not server.may_sign_in


def test_an_mx_at_a_provider_that_does_not_verify_domains_never_vouches(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    world = World({"example.org": ["MX 10 mx01.gmx.net."]}, {})
    server, _, _ = explored(world, internet, ca)
    assert (server.host, server.vouched_by) == ("imap.gmx.net", "manual")


def test_nothing_found_prefills_the_manual_form(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    server, _, _ = explored(World({"example.org": []}, {}), internet, ca)
    assert (server.host, server.port, server.found_by) == ("imap.example.org", 993, FoundBy.MANUAL)
    assert not server.may_sign_in


def test_a_domain_that_does_not_exist_is_told_apart(internet: NetworkMaker) -> None:
    with dns_server({}) as dns, pytest.raises(MailCheckError) as raised:
        found("ann@example.org", internet(dns.port))
    assert raised.value.cause is Cause.NAME_NOT_FOUND


def test_a_slow_resolver_ends_in_time(internet: NetworkMaker) -> None:
    zone = {"example.org": [HERE]}
    with dns_server(zone, delay=1.0) as dns, pytest.raises(MailCheckError) as raised:
        found("ann@example.org", internet(dns.port), seconds=0.5)
    assert raised.value.cause is Cause.UNDECIDED


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n<", b""])
def test_a_dripping_configuration_ends_in_time(
    start: bytes, internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    zone = {"example.org": [HERE], "autoconfig.example.org": [HERE]}
    certificate = ca.issue("autoconfig.example.org", "example.org")
    with scripted_server(drip, certificate) as port, dns_server(zone) as dns:
        began = time.monotonic()
        with pytest.raises(MailCheckError) as raised:
            found("ann@example.org", internet(dns.port, https_port=port), seconds=1)
        assert time.monotonic() - began < 2
    assert raised.value.cause is Cause.UNDECIDED


def test_the_stages_are_told_as_they_begin(internet: NetworkMaker) -> None:
    stages: list[Stage] = []
    with dns_server({"example.org": ["MX 10 mx.hoster.example."]}) as dns:
        discover(
            parse("ann@example.org"),
            pins=no_pins,
            deadline=Deadline(5),
            progress=stages.append,
            network=internet(dns.port),
        )
    assert stages == list(Stage)[:6]
