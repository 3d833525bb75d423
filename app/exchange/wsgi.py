"""The listener: four POSTs and a health check as a plain WSGI callable.

A web framework would cost more here than the database does, and this listener has no cookies,
no pages and no templates for it to care about.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeAlias

from app.addresses import Proxies
from app.crashpoints import crashpoint
from app.database import DatabaseUnavailableError
from app.exchange.turnstile import Turnstile
from protocol.encoding import MAX_BYTES
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import problem
from protocol.media_type import EXCHANGE, NOTICE, PROBLEM

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from app.exchange.packets import PacketService
    from app.exchange.services import ExchangeService

RETRY_SECONDS: Final = "2"
_LOG: Final = logging.getLogger(__name__)
_PROBLEMS: Final = {code: problem(code) for code in ErrorCode}
_Content: TypeAlias = tuple[HTTPStatus, str, bytes]
_HEADERS: Final = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


class ExchangeListener:
    """Reads a request, calls the service, writes an answer or a problem."""

    def __init__(
        self,
        service: ExchangeService,
        packets: PacketService,
        *,
        trusted_proxies: tuple[str, ...] = (),
    ) -> None:
        self._service: Final = service
        self._packets: Final = packets
        self._proxies: Final = Proxies(trusted_proxies)
        self._turnstile: Final = Turnstile(workers=service.workers)
        self._posts: Final[dict[str, Callable[[WSGIEnvironment], _Content]]] = {
            "/init": self._init,
            "/confirm": self._confirm,
            "/packet": self._packet,
            "/removed": self._removed,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path == "/healthz":
            return self._health(start_response)
        act = self._posts.get(path)
        if act is None:
            return _plain(start_response, HTTPStatus.NOT_FOUND)
        if method != "POST":
            return _plain(start_response, HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", "POST"))
        try:
            answer = act(environ)
        except RemoteProtocolError as error:
            return _problem(start_response, error.code)
        except DatabaseUnavailableError as error:
            _LOG.warning("database unavailable: %s", error)
            return _problem(start_response, ErrorCode.UNAVAILABLE)
        # The last line of defence: an error without its text, which may hold secrets.
        except Exception as error:
            _LOG.error("exchange failed: %s", type(error).__name__)
            return _problem(start_response, ErrorCode.UNAVAILABLE)
        return _answer(start_response, *answer)

    def _init(self, environ: WSGIEnvironment) -> _Content:
        address = self._address(environ)
        with self._turnstile.reading(address):
            body = _body(environ)
        with self._turnstile.working():
            reply = self._service.init(body, address=address)
        crashpoint("init.answered")
        return HTTPStatus.OK, EXCHANGE, reply

    def _confirm(self, environ: WSGIEnvironment) -> _Content:
        address = self._address(environ)
        with self._turnstile.reading(address):
            body = _body(environ)
        with self._turnstile.working():
            complete = self._service.confirm(body, address=address)
        crashpoint("confirm.answered")
        return HTTPStatus.OK, EXCHANGE, complete

    def _packet(self, environ: WSGIEnvironment) -> _Content:
        with self._turnstile.reading(self._address(environ)):
            body = _body(environ)
        with self._turnstile.working():
            answer = self._packets.packet(body)
        crashpoint("packet.answered")
        if answer.is_notice:
            return HTTPStatus.GONE, NOTICE, answer.body
        return HTTPStatus.OK, EXCHANGE, answer.body

    def _removed(self, environ: WSGIEnvironment) -> _Content:
        with self._turnstile.reading(self._address(environ)):
            body = _body(environ)
        with self._turnstile.working():
            noted = self._packets.removals.removed(body)
        crashpoint("removal.answered")
        return HTTPStatus.OK, EXCHANGE, noted

    def _address(self, environ: WSGIEnvironment) -> str:
        """Return the device's network address as its owner will see it."""
        forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
        client = self._proxies.client(environ.get("REMOTE_ADDR", ""), forwarded)
        return "unknown" if client is None else str(client)

    def _health(self, start_response: StartResponse) -> Iterable[bytes]:
        if not self._service.is_healthy():
            return _problem(start_response, ErrorCode.UNAVAILABLE)
        return _answer(start_response, HTTPStatus.OK, "text/plain; charset=utf-8", b"ok\n")


def _body(environ: WSGIEnvironment) -> bytes:
    """Return the body of the right type and size, or raise RemoteProtocolError."""
    media_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if media_type != EXCHANGE:
        raise RemoteProtocolError(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    length = environ.get("CONTENT_LENGTH") or ""
    if length:
        if not (length.isascii() and length.isdecimal()):
            raise RemoteProtocolError(ErrorCode.MALFORMED)
        if len(length) > 8 or int(length) > MAX_BYTES:
            raise RemoteProtocolError(ErrorCode.TOO_LARGE)
        body: bytes = environ["wsgi.input"].read(int(length))
        if len(body) != int(length):
            raise RemoteProtocolError(ErrorCode.MALFORMED)
        return body
    if not environ.get("wsgi.input_terminated"):
        raise RemoteProtocolError(ErrorCode.MALFORMED)
    # Chunked: the server ends the stream for us, so that one byte too many can be read.
    body = environ["wsgi.input"].read(MAX_BYTES + 1)
    if len(body) > MAX_BYTES:
        raise RemoteProtocolError(ErrorCode.TOO_LARGE)
    return body


def _problem(start_response: StartResponse, code: ErrorCode) -> Iterable[bytes]:
    retry = code in {ErrorCode.BUSY, ErrorCode.UNAVAILABLE}
    more = [("Retry-After", RETRY_SECONDS)] if retry else []
    return _answer(start_response, HTTPStatus(code.status), PROBLEM, _PROBLEMS[code], *more)


def _plain(
    start_response: StartResponse, status: HTTPStatus, *more: tuple[str, str]
) -> Iterable[bytes]:
    body = f"{status.phrase.lower()}\n".encode()
    return _answer(start_response, status, "text/plain; charset=utf-8", body, *more)


def _answer(
    start_response: StartResponse,
    status: HTTPStatus,
    media_type: str,
    body: bytes,
    *more: tuple[str, str],
) -> Iterable[bytes]:
    headers = [("Content-Type", media_type), ("Content-Length", str(len(body)))]
    start_response(f"{status.value} {status.phrase}", [*headers, *_HEADERS, *more])
    return [body]
