"""Servers that drip, cut, unfold, redirect or never answer do not hold or mislead the device."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from plugin.network.http_answer import Answer, TransportError
from plugin.network.http_request import USER_AGENT
from plugin.network.transport import Request, Transport
from protocol import media_type

OK = b"HTTP/1.1 200 OK\r\nContent-Type: " + media_type.EXCHANGE.encode() + b"\r\n"
Talk = Callable[[socket.socket, bytes], None]


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """Serve one connection with raw bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            try:
                connection, _address = listening.accept()
                with connection:
                    talk(connection, connection.recv(65536))
            except OSError:
                # The device has hung up, or the test is over.
                return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def drip(start: bytes) -> Talk:
    def talk(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(start)
        for _count in range(30):
            connection.sendall(b"a")
            time.sleep(0.05)

    return talk


def send(answer: bytes) -> Talk:
    return lambda connection, _request: connection.sendall(answer)


@pytest.mark.parametrize("start", [b"", OK + b"X-Slow: ", OK + b"Content-Length: 500\r\n\r\n"])
def test_a_dripping_server_does_not_hold_the_device(start: bytes) -> None:
    with server(drip(start)) as url:
        begun = time.monotonic()
        with pytest.raises(TransportError):
            Transport(deadline=0.4).post(url, b"{}")
        assert time.monotonic() - begun < 1.0


def test_a_server_that_never_answers_does_not_hold_the_device() -> None:
    with server(lambda _connection, _request: time.sleep(1)) as url:
        begun = time.monotonic()
        with pytest.raises(TransportError):
            Transport(deadline=0.3).post(url, b"{}")
        assert time.monotonic() - begun < 0.9


def test_an_answer_of_64_kib_is_read_and_one_byte_more_is_not() -> None:
    whole = b"a" * 65536
    with server(send(OK + b"Content-Length: 65536\r\n\r\n" + whole)) as url:
        assert Transport(deadline=5).post(url, b"{}").untrusted_body == whole
    with (
        server(send(OK + b"Connection: close\r\n\r\n" + whole + b"a")) as url,
        pytest.raises(TransportError, match="too large"),
    ):
        Transport(deadline=5).post(url, b"{}")


def test_a_cut_answer_is_no_answer() -> None:
    with (
        server(send(OK + b"Content-Length: 50\r\n\r\n{}")) as url,
        pytest.raises(TransportError),
    ):
        Transport(deadline=5).post(url, b"{}")


def test_redirects_are_not_followed() -> None:
    redirect = b"HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with server(send(redirect)) as url:
        assert Transport(deadline=5).post(url, b"{}").status == 307


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with server(send(OK + b"Content-Length: 2\r\n\r\n{}")) as url:
        assert Transport(deadline=5).post(url, b"{}").untrusted_body == b"{}"


def test_the_request_says_nothing_about_the_device() -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        connection.sendall(OK + b"Content-Length: 2\r\n\r\n{}")

    with server(talk) as url:
        Transport(deadline=5).post(url + "/init", b"{}")
    names = {line.partition(b":")[0].lower() for line in seen[0].split(b"\r\n")[1:] if line}
    assert f"User-Agent: {USER_AGENT}".encode() in seen[0]
    assert names <= {
        b"host",
        b"user-agent",
        b"accept",
        b"accept-encoding",
        b"content-type",
        b"content-length",
        b"connection",
        b"{}",
    }


def test_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(TransportError, match="no connection"):
        Transport(deadline=5).post(f"http://127.0.0.1:{port}", b"{}")


def test_a_portal_is_only_fetched_from_over_https() -> None:
    with pytest.raises(TransportError, match="not https"):
        Transport().fetch("http://localhost/", accept="application/json")


def test_a_call_with_a_password_in_it_goes_over_tls_only() -> None:
    with pytest.raises(TransportError, match="is not https"):
        Transport().call("POST", "http://localhost/x", b"{}", headers={}, ca_file=None)


def test_neither_request_nor_answer_shows_what_is_secret() -> None:
    request = Request("POST", "https://x", b"password", {"Authorization": "Bearer token"})
    assert "password" not in repr(request)
    assert "token" not in repr(request)
    assert "secret" not in repr(Answer(200, "application/json", b"secret"))
