"""The mail check against a real Dovecot."""

import socket
import time
from collections.abc import Iterator

import pytest

from app.mailservers.causes import Cause, CertificateFault, MailCheckError
from app.mailservers.check import check
from app.mailservers.deadline import Deadline
from app.mailservers.progress import Stage
from app.mailservers.server import MailPin, MailServer, Security, from_pin
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.dovecot import DovecotServer, dovecot

pytestmark = pytest.mark.dovecot

ANN = "ann@example.org"
USERS = {
    ANN: "correct horse battery staple",
    "jürgen@example.org": "pässwörd ✓ 密码",
    "bob@example.org": 'quo"te\\slash {12} %u $1',
}


@pytest.fixture(scope="module")
def ca() -> Iterator[CertificateAuthority]:
    """A CA that only these tests trust."""
    with certificate_authority() as authority:
        yield authority


@pytest.fixture(scope="module")
def server(ca: CertificateAuthority) -> Iterator[DovecotServer]:
    """One Dovecot for every test that does not need its own."""
    with dovecot(USERS, ca.issue("localhost"), trusted="127.0.0.1") as running:
        yield running


def pinned(
    running: DovecotServer, ca: CertificateAuthority, security: Security = "tls"
) -> MailServer:
    """The running server as an administrator would pin it."""
    port = running.tls_port if security == "tls" else running.port
    return from_pin("example.org", MailPin("localhost", port, security, ca_pem=ca.pem))


def cause_of(
    server: MailServer, username: str, password: str, seconds: float = 10
) -> MailCheckError:
    """The error a check ends with."""
    with pytest.raises(MailCheckError) as raised:
        check(server, username, password, deadline=Deadline(seconds))
    return raised.value


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("username", USERS)
def test_the_right_password_is_accepted(
    security: Security, username: str, server: DovecotServer, ca: CertificateAuthority
) -> None:
    stages: list[Stage] = []
    checked = check(
        pinned(server, ca, security),
        username,
        USERS[username],
        deadline=Deadline(10),
        progress=stages.append,
    )
    assert checked.username == username
    assert stages == [Stage.CONNECTING, Stage.SECURING, Stage.SIGNING_IN]


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize(
    ("username", "password"),
    [(ANN, "wrong"), (ANN, USERS[ANN].upper()), ("nobody@example.org", "wrong"), ("*", "*")],
)
def test_a_wrong_password_is_refused(
    security: Security,
    username: str,
    password: str,
    server: DovecotServer,
    ca: CertificateAuthority,
) -> None:
    fault = cause_of(pinned(server, ca, security), username, password)
    assert fault.cause is Cause.WRONG_CREDENTIAL


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\0"])
def test_a_second_command_in_name_or_password_never_reaches_dovecot(
    line_break: str, server: DovecotServer, ca: CertificateAuthority
) -> None:
    before = settled(server)
    injected = f"{line_break}X2 LOGIN {ANN} wrong"
    for username, password in ((ANN + injected, "x"), (ANN, USERS[ANN] + injected)):
        fault = cause_of(pinned(server, ca), username, password)
        assert fault.cause is Cause.WRONG_CREDENTIAL
    assert settled(server) == before


def settled(server: DovecotServer) -> str:
    """Return Dovecot's log once nothing is added: it tells of a session's end when it likes."""
    text, since = server.log.read_text(), time.monotonic()
    while time.monotonic() < since + 0.5:
        time.sleep(0.05)
        if (now := server.log.read_text()) != text:
            text, since = now, time.monotonic()
    return text


def test_dovecot_learns_whose_attempt_it_is(
    server: DovecotServer, ca: CertificateAuthority
) -> None:
    check(
        pinned(server, ca),
        ANN,
        USERS[ANN],
        deadline=Deadline(10),
        client_address="203.0.113.77",
    )
    assert "rip=203.0.113.77" in server.log.read_text()


def test_a_slowed_down_answer_is_undecided_and_not_a_wrong_password(
    ca: CertificateAuthority,
) -> None:
    with dovecot(USERS, ca.issue("localhost"), failure_delay=10) as slow:
        began = time.monotonic()
        fault = cause_of(pinned(slow, ca), ANN, "wrong", seconds=1)
        assert time.monotonic() - began < 2
    assert fault.cause is Cause.UNDECIDED


def test_the_penalty_after_failures_makes_even_the_right_password_undecided(
    ca: CertificateAuthority,
) -> None:
    with dovecot(USERS, ca.issue("localhost"), penalty=True) as strict:
        server = pinned(strict, ca)
        for attempt in ("one", "two", "three"):
            fault = cause_of(server, ANN, attempt, seconds=2)
            assert fault.cause in (Cause.WRONG_CREDENTIAL, Cause.UNDECIDED)
        assert cause_of(server, ANN, USERS[ANN], seconds=1).cause is Cause.UNDECIDED


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_for_another_name_is_refused(
    security: Security, ca: CertificateAuthority
) -> None:
    with dovecot(USERS, ca.issue("mail.example.net")) as other:
        fault = cause_of(pinned(other, ca, security), ANN, USERS[ANN])
        assert "user=<ann" not in other.log.read_text()
    assert (fault.cause, fault.why) == (Cause.CERTIFICATE, CertificateFault.WRONG_NAME)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_an_expired_certificate_is_refused(security: Security, ca: CertificateAuthority) -> None:
    with dovecot(USERS, ca.issue("localhost", expired=True)) as expired:
        fault = cause_of(pinned(expired, ca, security), ANN, USERS[ANN])
    assert (fault.cause, fault.why) == (Cause.CERTIFICATE, CertificateFault.EXPIRED)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_of_an_unknown_ca_is_refused(
    security: Security, server: DovecotServer
) -> None:
    with certificate_authority() as stranger:
        fault = cause_of(pinned(server, stranger, security), ANN, USERS[ANN])
    assert fault.cause is Cause.CERTIFICATE
    assert fault.why in (CertificateFault.UNKNOWN_ISSUER, CertificateFault.SELF_SIGNED)


def test_a_self_signed_certificate_is_refused(ca: CertificateAuthority) -> None:
    with dovecot(USERS, ca.self_signed("localhost")) as alone:
        fault = cause_of(pinned(alone, ca), ANN, USERS[ANN])
    assert (fault.cause, fault.why) == (Cause.CERTIFICATE, CertificateFault.SELF_SIGNED)


def test_tls_and_starttls_ports_taken_for_each_other_are_told_apart_from_a_wrong_password(
    server: DovecotServer, ca: CertificateAuthority
) -> None:
    pin = MailPin("localhost", server.port, "tls", ca_pem=ca.pem)
    assert cause_of(from_pin("example.org", pin), ANN, "x").cause is Cause.NOT_A_MAIL_SERVER
    pin = MailPin("localhost", server.tls_port, "starttls", ca_pem=ca.pem)
    fault = cause_of(from_pin("example.org", pin), ANN, "x", seconds=1)
    assert fault.cause in (Cause.UNDECIDED, Cause.NOT_REACHABLE)


def test_a_server_that_is_gone_is_not_reachable(ca: CertificateAuthority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    pin = MailPin("localhost", port, ca_pem=ca.pem)
    assert cause_of(from_pin("example.org", pin), ANN, "x").cause is Cause.NOT_REACHABLE
