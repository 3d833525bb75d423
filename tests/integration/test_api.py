"""One call for three accounts at two real mail servers, Dovecot and pymap, and a dead one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.mailservers.names import Names
from app.mailservers.network import Network
from tests.app.api.caller import Caller, account
from tests.app.api.conftest import give_keys
from tests.app.portal_fixtures import Portal, build
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.dns_server import dns_server
from tests.peers.dovecot import dovecot
from tests.peers.pymap_server import PymapServer, pymap_server
from tests.peers.scripted import scripted_server

pytestmark = pytest.mark.dovecot

ANN, BOB, ANN_ELSEWHERE = "ann@example.org", "bob@example.org", "ann@example.net"
AT_DOVECOT = {ANN: "correct horse", BOB: "battery staple"}
AT_PYMAP = {ANN_ELSEWHERE: "staple battery"}
SECONDS = 3


@pytest.fixture(scope="module")
def ca() -> Iterator[CertificateAuthority]:
    """A CA that only these tests trust."""
    with certificate_authority() as authority:
        yield authority


@pytest.fixture
def portal(tmp_path: Path, ca: CertificateAuthority) -> Iterator[Portal]:
    """A portal that knows both mail servers by the operator's pins."""
    certificate = ca.issue("127.0.0.1")
    with (
        dovecot(AT_DOVECOT, certificate) as one,
        pymap_server(AT_PYMAP, certificate) as other,
        dns_server({}) as dns,
    ):
        network = Network(names=Names("127.0.0.1", dns.port))
        built = build(tmp_path, network=network, HANDFAST_MAIL_CHECK_SECONDS=str(SECONDS))
        built.pin("example.org", PymapServer(one.host, one.tls_port), ca.pem)
        built.pin("example.net", other, ca.pem)
        give_keys(built)
        yield built
        built.here.close()


def asked() -> tuple[dict[str, object], ...]:
    """Ann's two accounts, and one of Bob's with a password that is wrong."""
    return (
        account(BOB, "wrong"),
        account(ANN, AT_DOVECOT[ANN]),
        account(ANN_ELSEWHERE, AT_PYMAP[ANN_ELSEWHERE]),
    )


def test_two_of_three_accounts_are_accepted_and_one_is_told_why(portal: Portal) -> None:
    answer = Caller(portal.app).activate(*asked())
    assert answer.status_code == 200
    given = answer.get_json()
    assert [each["outcome"] for each in given["accounts"]] == ["refused", "accepted", "accepted"]
    assert given["accounts"][0]["problem"]["code"] == "wrong-credential"
    assert [len(each["services"]) for each in given["accounts"]] == [0, 3, 3]
    assert given["document"]


def test_a_dead_mail_server_holds_nobody_up_longer_than_one_check(
    portal: Portal, ca: CertificateAuthority
) -> None:
    def silent(connection: socket.socket) -> None:
        time.sleep(SECONDS + 2)

    with scripted_server(silent) as first, scripted_server(silent) as second:
        for number, port in enumerate((first, second)):
            portal.pin(f"dead{number}.example", PymapServer("127.0.0.1", port), ca.pem)
        dead = [account(f"ann@dead{number}.example", "x") for number in range(2)]
        began = time.monotonic()
        answer = Caller(portal.app).activate(*dead, *asked()[1:])
        took = time.monotonic() - began
    outcomes = answer.get_json()["accounts"]
    assert [each["problem"]["code"] for each in outcomes[:2]] == ["undecided", "undecided"]
    assert [each["outcome"] for each in outcomes[2:]] == ["accepted", "accepted"]
    # Side by side: two dead servers cost no more than one.
    assert took < SECONDS + 1.5
