"""Where messages may go: https, public addresses, the right certificate, a small answer in time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import worker_config
from app.mailservers.names import Names
from app.mailservers.network import Network
from app.webhooks.posting import UnreachableError, UrlError, check_url, post
from tests.peers.ca import CertificateAuthority
from tests.peers.dns_server import dns_server
from tests.peers.https_server import Answer, https_server
from tests.peers.scripted import scripted_server

HOST = "hooks.example.org"
INNER = {
    "loopback.example": ["A 127.0.0.1"],
    "private.example": ["A 10.0.0.1"],
    "link-local.example": ["A 169.254.169.254"],
    "six.example": ["AAAA ::1"],
    "mapped.example": ["AAAA ::ffff:7f00:1"],
    "both.example": ["A 93.184.216.34", "A 10.0.0.1"],
    HOST: ["A 127.0.0.1"],
}


@pytest.fixture(scope="module")
def names() -> Iterator[Names]:
    with dns_server(INNER) as dns:
        yield Names("127.0.0.1", dns.port)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.org",
        "https://hooks.example.org/",
        "https://hooks.example.org:8443/a/b?c=d&e=%20",
        "https://192.0.2.1/x",
        "https://[2001:db8::1]:444/x",
    ],
)
def test_an_address_that_may_be_told(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@hooks.example.org/",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:x/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\r\nX: y",
        "https://hooks.example.org\\@inner/",
        "https://höoks.example.org/",
        "https://HOOKS.example.org/",
        "https://[::1/",
        "https://hooks.example.org/" + "a" * 500,
    ],
)
def test_an_address_that_may_not(url: str) -> None:
    with pytest.raises(UrlError):
        check_url(url)


@pytest.mark.parametrize("host", [*sorted(set(INNER) - {HOST}), "127.0.0.1", "[::1]", "10.0.0.1"])
def test_inner_networks_are_not_connected_to(names: Names, host: str) -> None:
    with pytest.raises(UnreachableError, match="refused-address"):
        post(f"https://{host}/", b"{}", {}, network=Network(names=names))


def test_an_operator_allows_a_network(tmp_path: Path) -> None:
    config = worker_config(
        {"HANDFAST_STATE_DIR": str(tmp_path), "HANDFAST_WEBHOOK_NETWORKS": "10.1.0.0/16,fd00::/8"}
    )
    assert [str(each) for each in config.webhook_networks] == ["10.1.0.0/16", "fd00::/8"]


def reachable(names: Names, ca: CertificateAuthority) -> Network:
    return Network(names=names, address_allowed=lambda _: True, ca_pem=ca.pem)


def test_a_certificate_for_another_name_is_refused(
    names: Names, mail_ca: CertificateAuthority
) -> None:
    network = reachable(names, mail_ca)
    with https_server({}, mail_ca.issue("other.example.org")) as server:
        url = f"https://{HOST}:{server.port}/"
        with pytest.raises(UnreachableError, match="certificate"):
            post(url, b"{}", {}, network=network)
    assert server.posted == []


def test_the_status_is_what_counts(names: Names, mail_ca: CertificateAuthority) -> None:
    flood = Answer(body=b"x" * 1_000_000, status=202, headers={"X": "y" * 60_000})
    with https_server({f"{HOST}/": flood}, mail_ca.issue(HOST)) as server:
        url = f"https://{HOST}:{server.port}/"
        assert post(url, b"{}", {}, network=reachable(names, mail_ca)) == 202


@pytest.mark.parametrize("answer", [b"", b"HTTP/2 200\r\n", b"200 OK\r\n", b"HTTP/1.1 200" * 90])
def test_what_is_no_answer_is_none(
    names: Names, mail_ca: CertificateAuthority, answer: bytes
) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(answer)

    with (
        scripted_server(script, mail_ca.issue(HOST)) as port,
        pytest.raises(UnreachableError),
    ):
        post(f"https://{HOST}:{port}/", b"{}", {}, network=reachable(names, mail_ca))


def test_a_receiver_that_drips_is_left(names: Names, mail_ca: CertificateAuthority) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        while True:
            connection.sendall(b"H")
            if connection.recv(1) == b"":
                return

    network = reachable(names, mail_ca)
    with scripted_server(script, mail_ca.issue(HOST)) as port:
        url = f"https://{HOST}:{port}/"
        with pytest.raises(UnreachableError):
            post(url, b"{}", {}, network=network, seconds=0.3)
