"""A configuration file is read for one IMAP server over TLS, and nothing else in it counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mailservers.autoconfig import Configured, read
from app.mailservers.provider import Credential
from app.mailservers.server import SmtpServer

PORTS = frozenset({143, 993})


def document(
    *,
    host: str = "imap.example.org",
    port: str = "993",
    socket_type: str = "SSL",
    username: str = "%EMAILADDRESS%",
    authentication: str = "password-cleartext",
    kind: str = "imap",
) -> bytes:
    """A configuration with one incoming server."""
    return f"""<?xml version="1.0"?>
    <clientConfig version="1.1"><emailProvider id="example.org">
      <incomingServer type="{kind}"><hostname>{host}</hostname><port>{port}</port>
        <socketType>{socket_type}</socketType><username>{username}</username>
        <authentication>{authentication}</authentication></incomingServer>
    </emailProvider></clientConfig>""".encode()


def test_a_plain_configuration_is_understood() -> None:
    expected = Configured("imap.example.org", 993, "tls", "address", Credential.PASSWORD)
    assert read(document(), "example.org", PORTS) == expected


def test_local_part_names_starttls_and_the_domain_placeholder_are_understood() -> None:
    found = read(
        document(
            host="mail.%EMAILDOMAIN%",
            port="143",
            socket_type="STARTTLS",
            username="%EMAILLOCALPART%",
        ),
        "example.org",
        PORTS,
    )
    assert found == Configured(
        "mail.example.org", 143, "starttls", "local-part", Credential.PASSWORD
    )


def test_a_server_with_oauth_only_says_so() -> None:
    found = read(document(authentication="OAuth2"), "example.org", PORTS)
    assert found is not None
    assert found.credential is Credential.OAUTH_ONLY


def test_implicit_tls_goes_before_starttls() -> None:
    first = document(port="143", socket_type="STARTTLS")
    second = document(host="imaps.example.org")
    inner = second[second.index(b"<incomingServer") : second.index(b"</emailProvider>")]
    both = first.replace(b"</emailProvider>", inner + b"</emailProvider>")
    found = read(both, "example.org", PORTS)
    assert found is not None
    assert found.host == "imaps.example.org"


@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"<html><body>Welcome</body></html>",
        b"<!DOCTYPE html><html></html>",
        b"<clientConfig/>",
        b"<clientConfig><emailProvider>",
        document().replace(b"<clientConfig", b"<!DOCTYPE clientConfig><clientConfig", 1),
        document().replace(
            b"<clientConfig", b'<!DOCTYPE clientConfig [<!ENTITY a "b">]><clientConfig', 1
        ),
        document(socket_type="plain"),
        document(port="22"),
        document(port="993.0"),
        document(port="\u0669\u0669\u0663"),
        document(port="9" * 5000),
        document(host="127.0.0.1"),
        document(host="localhost"),
        document(host="imap.example.org:22"),
        document(host="imap.example.org&#13;&#10;X"),
        document(username="postmaster"),
        document(username="%EMAILADDRESS%.evil"),
        document(authentication="GSSAPI"),
        document(kind="pop3"),
    ],
)
def test_anything_else_is_no_configuration(untrusted: bytes) -> None:
    assert read(untrusted, "example.org", PORTS) is None


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 60))
def test_damage_never_breaks_the_reader(noise: bytes, at: int, cut: int) -> None:
    whole = document()
    found = read(whole[:at] + noise + whole[at + cut :], "example.org", PORTS)
    assert found is None or isinstance(found, Configured)


def with_sending(**outgoing: str) -> bytes:
    """A configuration with an SMTP server beside the IMAP server."""
    facts = {
        "host": "smtp.example.org",
        "port": "465",
        "socket_type": "SSL",
        "username": "%EMAILADDRESS%",
        **outgoing,
    }
    server = f"""<outgoingServer type="smtp"><hostname>{facts["host"]}</hostname>
        <port>{facts["port"]}</port><socketType>{facts["socket_type"]}</socketType>
        <username>{facts["username"]}</username>
        <authentication>password-cleartext</authentication></outgoingServer>"""
    return document().replace(b"</emailProvider>", server.encode() + b"</emailProvider>")


def test_the_sending_side_is_found_beside_it() -> None:
    found = read(with_sending(port="587", socket_type="STARTTLS"), "example.org", PORTS)
    assert found is not None
    assert found.smtp == SmtpServer("smtp.example.org", 587, "starttls")


@pytest.mark.parametrize(
    "odd",
    [
        {"port": "25"},
        {"socket_type": "plain"},
        {"username": "%EMAILLOCALPART%"},
        {"host": "a b"},
    ],
)
def test_an_odd_sending_side_is_left_out_and_the_rest_stays(odd: dict[str, str]) -> None:
    assert read(with_sending(**odd), "example.org", PORTS) == read(document(), "example.org", PORTS)
