"""A hostile or broken server costs a bounded time and memory, and is never "wrong password"."""

import base64
import contextlib
import itertools
import logging
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.check import check
from app.mailservers.deadline import Deadline
from app.mailservers.provider import Credential
from app.mailservers.server import MailPin, MailServer, Security, from_pin
from tests.peers.ca import CertificateAuthority
from tests.peers.scripted import Script, read_command, scripted_server

PASSWORD = "a canary in a mail mine"
CAPABILITY = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"


def pinned(port: int, ca: CertificateAuthority, security: Security = "tls") -> MailServer:
    """A pin for a server on loopback."""
    return from_pin("example.org", MailPin("localhost", port, security, ca_pem=ca.pem))


def fault_of(
    script: Script, ca: CertificateAuthority, *, security: Security = "tls", seconds: float = 2.0
) -> MailCheckError:
    """The error that a check against this server ends with, in time."""
    certificate = ca.issue("localhost") if security == "tls" else None
    with scripted_server(script, certificate) as port:
        server = pinned(port, ca, security)
        began = time.monotonic()
        with pytest.raises(MailCheckError) as raised:
            check(server, "ann@example.org", PASSWORD, deadline=Deadline(seconds))
        assert time.monotonic() - began < seconds + 1
    return raised.value


def greeted(then: Script) -> Script:
    """A server that behaves until AUTHENTICATE has been asked for."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"* OK hello\r\n")
        tag, _ = read_command(connection)
        connection.sendall(CAPABILITY + tag + b" OK done\r\n")
        then(connection)

    return script


def answering(verdict: bytes) -> Script:
    """A server that answers AUTHENTICATE with these words."""

    def script(connection: socket.socket) -> None:
        tag, _ = read_command(connection)
        connection.sendall(b"+ \r\n")
        read_command(connection)
        connection.sendall(verdict.replace(b"TAG", tag))

    return greeted(script)


def drip(connection: socket.socket) -> None:
    """A byte now and then, each of them before any per-receive time-out."""
    for byte in itertools.cycle(b"* OK still starting, please be patient "):
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


def silence(_: socket.socket) -> None:
    """Nothing, for longer than any deadline here."""
    time.sleep(3)


def hang_up(_: socket.socket) -> None:
    """Close at once."""


def endless_line(connection: socket.socket) -> None:
    """A line without an end."""
    while True:
        connection.sendall(b"* OK " + b"A" * 65536)


def endless_lines(connection: socket.socket) -> None:
    """Lines without an end."""
    connection.sendall(b"* OK hello\r\n")
    while True:
        connection.sendall(b"* OK go on\r\n" * 4096)


def huge_literal(connection: socket.socket) -> None:
    """A literal of a gigabyte."""
    connection.sendall(b"* OK hello\r\n* CAPABILITY {1073741824}\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"A" * 65536)


def number_without_end(connection: socket.socket) -> None:
    """A literal whose length is longer than Python turns into a number."""
    connection.sendall(b"* OK hello\r\n* CAPABILITY {" + b"9" * 6000 + b"}\r\n")
    connection.recv(1)


@pytest.mark.parametrize(
    ("script", "cause"),
    [
        (drip, Cause.UNDECIDED),
        (greeted(drip), Cause.UNDECIDED),
        (silence, Cause.UNDECIDED),
        (endless_line, Cause.NOT_A_MAIL_SERVER),
        (endless_lines, Cause.NOT_A_MAIL_SERVER),
        (huge_literal, Cause.NOT_A_MAIL_SERVER),
        (number_without_end, Cause.NOT_A_MAIL_SERVER),
        (hang_up, Cause.NOT_REACHABLE),
        (lambda c: c.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Cause.NOT_A_MAIL_SERVER),
        (lambda c: c.sendall(b"220 smtp.example.org ESMTP\r\n"), Cause.NOT_A_MAIL_SERVER),
        (lambda c: c.sendall(b"\xff\xfe\x00\r\n"), Cause.NOT_A_MAIL_SERVER),
        (lambda c: c.sendall(b"* BYE too many connections\r\n"), Cause.UNDECIDED),
        (lambda c: c.sendall(b"* PREAUTH welcome ann\r\n" + CAPABILITY), Cause.UNDECIDED),
        (greeted(hang_up), Cause.UNDECIDED),
        (answering(b"* BYE shutting down\r\n"), Cause.UNDECIDED),
        (answering(b"TAG NO [UNAVAILABLE] the database is away\r\n"), Cause.UNDECIDED),
        (answering(b"TAG NO [AUTHENTICATIONFAILED] no\r\n"), Cause.WRONG_CREDENTIAL),
        (answering(b"TAG NO no\r\n"), Cause.WRONG_CREDENTIAL),
        (
            answering(b"TAG NO [ALERT] Application-specific password required\r\n"),
            Cause.NEEDS_APP_PASSWORD,
        ),
        (
            answering(b"TAG NO [WEBALERT https://x.example/] Web login required.\r\n"),
            Cause.NEEDS_PROVIDER_SIGN_IN,
        ),
        (answering(b"TAG BAD what\r\n"), Cause.NOT_A_MAIL_SERVER),
        (answering(b"X999 OK Logged in\r\n"), Cause.NOT_A_MAIL_SERVER),
        (answering(b"* OK Logged in\r\n"), Cause.UNDECIDED),
    ],
)
def test_each_way_to_misbehave_has_its_cause(
    script: Script, cause: Cause, ca: CertificateAuthority
) -> None:
    assert fault_of(script, ca).cause is cause


@pytest.mark.parametrize(
    ("script", "detail"),
    [
        (endless_line, "the line is too long"),
        (huge_literal, "the literal is too long"),
        (endless_lines, "the server sent too much"),
    ],
)
def test_a_flood_is_cut_off_where_it_is_first_too_much(
    script: Script, detail: str, ca: CertificateAuthority
) -> None:
    assert fault_of(script, ca).detail == detail


@settings(max_examples=60)
@given(
    pieces=st.lists(
        st.binary(max_size=40)
        | st.sampled_from(
            [
                b"* OK hello\r\n",
                b"* PREAUTH hello\r\n",
                b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
                b"* CAPABILITY {3}\r\nabc\r\n",
                b"* OK [CAPABILITY IMAP4rev1]\r\n",
                b"+ \r\n",
                b"+ %%%\r\n",
                b"* LIST () NIL {1}\r\n",
                b"AAAA1 OK done\r\n",
            ]
        ),
        max_size=8,
    )
)
def test_no_noise_is_ever_a_yes(pieces: list[bytes], ca: CertificateAuthority) -> None:
    def script(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    assert fault_of(script, ca).cause is not Cause.WRONG_CREDENTIAL


@pytest.mark.parametrize("client_address", ["203.0.113.7", "2001:db8::7", "nonsense", ""])
@pytest.mark.parametrize(
    "answer", [b"TAG OK done\r\n", b"TAG NO no\r\n", b"* ID (\r\nTAG BAD what\r\n"]
)
def test_a_server_that_dislikes_the_introduction_is_still_asked(
    client_address: str, answer: bytes, ca: CertificateAuthority
) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"* OK hello\r\n")
        tag, _ = read_command(connection)
        connection.sendall(b"* CAPABILITY IMAP4rev1 ID AUTH=PLAIN\r\n" + tag + b" OK done\r\n")
        tag, command = read_command(connection)
        if command.startswith(b"ID"):
            connection.sendall(answer.replace(b"TAG", tag))
            tag, _ = read_command(connection)
        connection.sendall(b"+ \r\n")
        read_command(connection)
        connection.sendall(tag + b" OK in\r\n")
        connection.recv(1)

    with scripted_server(script, ca.issue("localhost")) as port:
        checked = check(
            pinned(port, ca),
            "ann@example.org",
            PASSWORD,
            deadline=Deadline(2),
            client_address=client_address,
        )
    assert checked.username == "ann@example.org"


def test_a_server_that_signs_in_by_itself_signs_nobody_in(ca: CertificateAuthority) -> None:
    def preauth(connection: socket.socket) -> None:
        connection.sendall(b"* PREAUTH welcome ann\r\n")
        tag, _ = read_command(connection)
        connection.sendall(CAPABILITY + tag + b" OK done\r\n")
        connection.recv(1)

    assert fault_of(preauth, ca).detail == "signed in before being asked"


def test_plain_text_where_tls_is_expected_is_no_mail_server(ca: CertificateAuthority) -> None:
    script: Script = lambda c: c.sendall(b"* OK hello\r\n" * 9)  # noqa: E731 - one line says it
    with scripted_server(script) as port, pytest.raises(MailCheckError) as raised:
        check(pinned(port, ca), "ann@example.org", PASSWORD, deadline=Deadline(2))
    assert raised.value.cause is Cause.NOT_A_MAIL_SERVER


def test_a_silent_tls_handshake_is_undecided(ca: CertificateAuthority) -> None:
    with scripted_server(silence) as port, pytest.raises(MailCheckError) as raised:
        check(pinned(port, ca), "ann@example.org", PASSWORD, deadline=Deadline(0.5))
    assert raised.value.cause is Cause.UNDECIDED


def starttls(capability: bytes, answer: bytes, sent: list[bytes]) -> Script:
    """A server without TLS that answers STARTTLS so, and keeps what it is sent."""

    def script(connection: socket.socket) -> None:
        connection.sendall(b"* OK hello\r\n")
        tag, _ = read_command(connection)
        connection.sendall(b"* CAPABILITY IMAP4rev1 " + capability + tag + b" OK done\r\n")
        tag, _ = read_command(connection)
        connection.sendall(answer.replace(b"TAG", tag))
        while received := connection.recv(4096):
            sent.append(received)

    return script


@pytest.mark.parametrize(
    ("capability", "answer"),
    [
        (b"AUTH=PLAIN\r\n", b""),
        (b"STARTTLS AUTH=PLAIN\r\n", b"TAG NO not today\r\n"),
        (b"STARTTLS AUTH=PLAIN\r\n", b"TAG BAD not today\r\n"),
        (b"STARTTLS\r\n", b"TAG OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"),
        (b"STARTTLS\r\n", b"TAG OK go\r\n* PREAUTH you are in\r\n"),
    ],
    ids=["stripped", "refused", "misunderstood", "injected capability", "injected preauth"],
)
def test_without_clean_starttls_the_password_stays_here(
    capability: bytes, answer: bytes, ca: CertificateAuthority
) -> None:
    sent: list[bytes] = []
    fault = fault_of(starttls(capability, answer, sent), ca, security="starttls")
    assert fault.cause is Cause.NOT_A_MAIL_SERVER
    assert PASSWORD.encode() not in b"".join(sent)
    assert base64.b64encode(PASSWORD.encode())[2:-4] not in b"".join(sent)


def test_bytes_that_arrive_with_the_answer_to_starttls_are_not_read_inside_tls(
    ca: CertificateAuthority,
) -> None:
    def script(connection: socket.socket) -> None:
        connection.sendall(b"* OK hello\r\n")
        tag, _ = read_command(connection)
        connection.sendall(b"* CAPABILITY IMAP4rev1 STARTTLS\r\n" + tag + b" OK done\r\n")
        tag, _ = read_command(connection)
        connection.sendall(tag + b" OK go\r\n" + b"* OK injected\r\n" * 20)
        connection.recv(1)

    assert fault_of(script, ca, security="starttls").detail == "bytes were sent ahead of TLS"


@pytest.mark.parametrize("security", ["tls", "starttls"])
@pytest.mark.parametrize("script", [hang_up, endless_line, answering(b"TAG NO no\r\n")])
def test_a_failed_check_leaves_no_connection_open(
    script: Script, security: Security, ca: CertificateAuthority
) -> None:
    fault_of(script, ca, security=security)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        fault_of(script, ca, security=security)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize("position", ["username", "password"])
@pytest.mark.parametrize("character", ["\r\n", "\n", "\r", "\0", "\ud800"])
def test_a_line_break_never_reaches_a_server(
    position: str, character: str, ca: CertificateAuthority
) -> None:
    connections: list[int] = []
    username = f"ann{character}X LOGOUT" if position == "username" else "ann@example.org"
    password = f"pass{character}X LOGOUT" if position == "password" else PASSWORD
    with scripted_server(lambda _: connections.append(1), ca.issue("localhost")) as port:
        with pytest.raises(MailCheckError) as raised:
            check(pinned(port, ca), username, password, deadline=Deadline(2))
        assert raised.value.cause is Cause.WRONG_CREDENTIAL
        assert connections == []


@pytest.mark.parametrize(
    "script",
    [
        answering(b"TAG NO [AUTHENTICATIONFAILED] " + PASSWORD.encode() + b"\r\n"),
        answering(b"TAG BAD " + PASSWORD.encode() + b"\r\n"),
        answering(b"* BYE " + PASSWORD.encode() + b"\r\n"),
        greeted(drip),
    ],
)
def test_the_password_is_in_no_log_and_no_error(
    script: Script, ca: CertificateAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fault = fault_of(script, ca, seconds=1.0)
    encoded = base64.b64encode(f"\0ann@example.org\0{PASSWORD}".encode()).decode()
    for text in (caplog.text, str(fault), repr(fault), repr(fault.__cause__)):
        assert PASSWORD not in text
        assert encoded not in text


def test_an_oauth_only_server_is_not_even_asked(ca: CertificateAuthority) -> None:
    pin = MailPin("localhost", 9, ca_pem=ca.pem, credential=Credential.OAUTH_ONLY)
    with pytest.raises(MailCheckError) as raised:
        check(from_pin("example.org", pin), "ann", PASSWORD, deadline=Deadline(2))
    assert raised.value.cause is Cause.NEEDS_PROVIDER_SIGN_IN
