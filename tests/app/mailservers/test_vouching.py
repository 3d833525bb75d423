"""Nobody becomes victim@example.org by naming a server of their own."""

import dataclasses

import pytest

from app.mailservers.address import parse
from app.mailservers.causes import Cause, CertificateFault, MailCheckError
from app.mailservers.check import Checked, check
from app.mailservers.deadline import Deadline
from app.mailservers.discovery import discover
from app.mailservers.server import MailPin, VouchedBy, from_pin, manual
from tests.app.mailservers.conftest import NetworkMaker
from tests.app.mailservers.test_autoconfig_document import document
from tests.peers.ca import CertificateAuthority
from tests.peers.dns_server import dns_server
from tests.peers.https_server import Answer, https_server
from tests.peers.pymap_server import pymap_server

VICTIM = parse("victim@example.org")
PASSWORD = "i made this up"


def test_a_server_the_person_typed_in_proves_nothing(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    certificate = ca.issue("imap.attacker.example")
    zone = {"imap.attacker.example": ["A 127.0.0.1"]}
    with pymap_server({VICTIM.text: PASSWORD}, certificate) as mail, dns_server(zone) as dns:
        server = manual("example.org", "imap.attacker.example", mail.port, "tls")
        checked = check(
            server,
            server.username_for(VICTIM),
            PASSWORD,
            deadline=Deadline(5),
            network=internet(dns.port, mail.port),
        )
    assert not checked.proves(VICTIM)
    assert not server.may_sign_in


def test_the_mx_hosts_own_configuration_proves_nothing(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    """The domain's mail goes through a filter whose operator runs a mail server of his own."""
    names = ("autoconfig.filter.example", "imap.filter.example")
    zone = {
        "example.org": ["MX 10 mx.filter.example."],
        "autoconfig.filter.example": ["A 127.0.0.1"],
        "imap.filter.example": ["A 127.0.0.1"],
    }
    with pymap_server({VICTIM.text: PASSWORD}, ca.issue(*names)) as mail, dns_server(zone) as dns:
        offer = Answer(document(host="imap.filter.example", port=str(mail.port)))
        place = "autoconfig.filter.example/mail/config-v1.1.xml"
        with https_server({place: offer}, ca.issue(*names)) as web:
            network = internet(dns.port, mail.port, https_port=web.port)
            server = discover(VICTIM, pins=lambda _: None, deadline=Deadline(5), network=network)
            checked = check(server, VICTIM.text, PASSWORD, deadline=Deadline(5), network=network)
    assert server.host == "imap.filter.example"
    assert not checked.proves(VICTIM)


def test_a_forged_srv_answer_fails_at_the_certificate(
    internet: NetworkMaker, ca: CertificateAuthority
) -> None:
    """Whoever answers the victim's DNS has no certificate for the victim's domain."""
    with pymap_server({VICTIM.text: PASSWORD}, ca.issue("imap.attacker.example")) as mail:
        zone = {
            "example.org": [],
            "_imaps._tcp.example.org": [f"SRV 0 1 {mail.port} imap.attacker.example."],
            "imap.attacker.example": ["A 127.0.0.1"],
        }
        with dns_server(zone) as dns:
            network = internet(dns.port, mail.port)
            server = discover(VICTIM, pins=lambda _: None, deadline=Deadline(5), network=network)
            claimed = dataclasses.replace(
                server, vouched_by=VouchedBy.SRV, certificate_name="example.org"
            )
            assert not server.may_sign_in
            with pytest.raises(MailCheckError) as raised:
                check(claimed, VICTIM.text, PASSWORD, deadline=Deadline(5), network=network)
    assert raised.value.cause is Cause.CERTIFICATE
    assert raised.value.why is CertificateFault.WRONG_NAME


def test_a_vouching_server_proves_its_own_domain_and_name_only() -> None:
    server = from_pin("attacker.example", MailPin("localhost", 993))
    mine = parse("me@attacker.example")
    checked = Checked(server, server.username_for(mine))
    assert checked.proves(mine)
    assert not checked.proves(VICTIM)
    assert not checked.proves(parse("other@attacker.example"))


def test_a_name_without_a_domain_proves_nothing_in_another_domain() -> None:
    server = from_pin("attacker.example", MailPin("localhost", 993, username_form="local-part"))
    checked = Checked(server, "victim")
    assert checked.proves(parse("victim@attacker.example"))
    assert not checked.proves(VICTIM)


def test_a_private_server_is_out_of_reach_for_everybody_but_the_administrator(
    ca: CertificateAuthority,
) -> None:
    with pymap_server({VICTIM.text: PASSWORD}, ca.issue("localhost", "127.0.0.1")) as mail:
        pin = MailPin("127.0.0.1", mail.port, ca_pem=ca.pem)
        pinned = from_pin("example.org", pin)
        assert check(pinned, VICTIM.text, PASSWORD, deadline=Deadline(5)).proves(VICTIM)
        typed = manual("example.org", "127.0.0.1", 993, "tls")
        with pytest.raises(MailCheckError) as raised:
            check(typed, VICTIM.text, PASSWORD, deadline=Deadline(5))
    assert raised.value.cause is Cause.REFUSED_ADDRESS
