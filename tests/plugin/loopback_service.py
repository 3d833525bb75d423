"""A small Internet Service on loopback: the protocol's real service side, rows in memory."""

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
from msgspec import UNSET

from protocol import media_type, service_uid
from protocol.activation import ActivationDocument, Grant, document_prs, sign_document
from protocol.codes import new_code
from protocol.encoding import b64u
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import (
    Completed,
    Context,
    GrantName,
    Init,
    RunSecrets,
    accept_confirm,
    check_admission,
    code_prs,
    complete,
    init_hash,
    problem,
    read_confirm,
    read_init,
    respond,
)
from protocol.signing import SigningKey, VerifyKey
from protocol.trust import ExchangeEntry, KeyEntry, KeySet, TrustBundle, sign_key_set
from tests.plugin.loopback_packets import Packets

CODE_RUNS = 5


@dataclass
class Activation:
    """A row: what the service knows of one activation."""

    context: Context
    prs: bytes
    grants: list[GrantName]
    # The id of the key that will be replaced, in a rotation.
    rotates: str | None = None
    runs: dict[bytes, tuple[bytes, RunSecrets]] = field(default_factory=dict)
    redeemed: tuple[bytes, Completed] | None = None


def fresh_key() -> SigningKey:
    return SigningKey.generate(entropy=os.urandom)


@dataclass(frozen=True)
class Asked:
    """One call of the interface for programs."""

    method: str
    path: str
    body: bytes
    token: str | None


Message = tuple[int, str, bytes]
Fault = Callable[[str, Message], Message | None]


@dataclass
class Service:
    """Keys, rows and the two addresses; `faults` may change or drop (None) any answer."""

    ca: trustme.CA
    ca_file: Path
    root: SigningKey = field(default_factory=fresh_key)
    document_key: SigningKey = field(default_factory=fresh_key)
    exchange_key: SigningKey = field(default_factory=fresh_key)
    issuer: str = ""
    exchange: str = ""
    version: int = 1
    announced: list[SigningKey] = field(default_factory=list)
    activations: dict[str, Activation] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    # The interface for programs, where a test has one.
    api: Callable[[Asked], Message] | None = None
    retry_after: int | None = None
    # The Link header of its next answer.
    link: str | None = None

    def __post_init__(self) -> None:
        self.packets = Packets(self)
        # One request after the other, as the real service's transactions have it.
        self._turn = threading.Lock()

    @property
    def bundle(self) -> TrustBundle:
        return TrustBundle(self.issuer, (self.root.verify_key,))

    def key_set(self, *, signer: SigningKey | None = None, now: int | None = None) -> bytes:
        """Return the published key set."""
        at = int(time.time()) if now is None else now
        keys = self.announced or [self.exchange_key]
        return sign_key_set(
            KeySet(
                self.issuer,
                self.version,
                at,
                at + 86400 * 30,
                (_entry(self.document_key),),
                (ExchangeEntry(self.exchange, tuple(_entry(key) for key in keys)),),
            ),
            signer or self.root,
        )

    def issue(self, *services: str, jkt: str | None = None, age: int = 0) -> bytes:
        """Return a fresh document for Ann, one grant per service."""
        now = int(time.time()) - age
        document = ActivationDocument(
            iss=self.issuer,
            iat=now,
            exp=now + 300,
            jti=b64u(os.urandom(16)),
            sub="ann",
            exchange=self.exchange,
            grants=tuple(
                Grant(
                    b64u(os.urandom(16)),
                    "ann@example.org",
                    service,
                    service_uid.make(1, entropy=os.urandom),
                    os.urandom(32),
                )
                for service in services or ("mail",)
            ),
            jkt=jkt,
        )
        raw = sign_document(document, self.document_key)
        self.add_activation(
            Context(document.iss, document.jti, bound_jkt=document.jkt),
            document_prs(raw, [grant.password for grant in document.grants]),
            [
                GrantName(one.id, one.account, one.service, one.service_uid)
                for one in document.grants
            ],
        )
        return raw

    def add_code(self, *services: str) -> str:
        """Return a code for Ann, as somebody would read it out."""
        code = new_code(entropy=os.urandom)
        grants = [
            GrantName(
                b64u(os.urandom(16)),
                "ann@example.org",
                service,
                service_uid.make(1, entropy=os.urandom),
            )
            for service in services or ("mail",)
        ]
        context = Context(self.issuer, code.handle, kind="code")
        self.add_activation(context, code_prs(self.issuer, code.secret), grants)
        return code.text

    def add_activation(
        self, context: Context, prs: bytes, grants: list[GrantName], rotates: str | None = None
    ) -> None:
        """Keep what a run of the exchange needs."""
        self.activations[context.activation] = Activation(context, prs, grants, rotates)

    def words(self) -> set[tuple[str, ...]]:
        """Return the words of every key the service made active."""
        return {
            key.words
            for activation in self.activations.values()
            if activation.redeemed
            for key in activation.redeemed[1].keys
        }

    def answer(self, path: str, body: bytes) -> Message:
        """Serve one request as the portal or the exchange would."""
        if path == "/.well-known/handfast-trust":
            return 200, "application/json", self.bundle.to_json()
        if path == "/.well-known/handfast-keys":
            return 200, media_type.KEY_SET, self.key_set()
        try:
            with self._turn:
                if path == "/init":
                    return 200, media_type.EXCHANGE, self._init(body)
                if path == "/packet":
                    return self.packets.answer(body)
                if path == "/removed":
                    return 200, media_type.EXCHANGE, self.packets.note_removed(body)
                return 200, media_type.EXCHANGE, self._confirm(body)
        except RemoteProtocolError as error:
            return error.code.status, media_type.PROBLEM, problem(error.code)

    def _init(self, body: bytes) -> bytes:
        init = read_init(body)
        activation = self._activation(init.activation)
        context = activation.context
        run = init_hash(context, init)
        if not _is_admitted(activation, run, init):
            raise RemoteProtocolError(ErrorCode.REFUSED)
        if run not in activation.runs:
            if context.kind == "code" and len(activation.runs) == CODE_RUNS:
                raise RemoteProtocolError(ErrorCode.REFUSED)
            replied = respond(
                context,
                activation.prs,
                init,
                exchange_key=self.exchange_key,
                entropy=os.urandom,
            )
            activation.runs[run] = (replied.reply, replied.secrets)
        return activation.runs[run][0]

    def _confirm(self, body: bytes) -> bytes:
        confirm = read_confirm(body)
        activation = self._activation(confirm.activation)
        if activation.redeemed:
            if activation.redeemed[0] != body:
                raise RemoteProtocolError(ErrorCode.USED)
            return activation.redeemed[1].body
        if confirm.run not in activation.runs:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        secrets = activation.runs[confirm.run][1]
        claim = accept_confirm(secrets, confirm)
        completed = complete(secrets, claim, sub="ann", grants=activation.grants)
        activation.redeemed = (body, completed)
        self.packets.identities[claim.jkt] = VerifyKey(claim.identity)
        self.packets.add(completed.keys, claim.jkt)
        return completed.body

    def _activation(self, jti: str) -> Activation:
        if jti not in self.activations:
            raise RemoteProtocolError(ErrorCode.REFUSED)
        return self.activations[jti]


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Start portal (TLS) and exchange (plain HTTP) on free ports."""
    ca = trustme.CA()
    ca_file = folder / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    service = Service(ca, ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    with ExitStack() as stack:
        portal = stack.enter_context(_serving(service, context))
        exchange = stack.enter_context(_serving(service, None))
        service.issuer = f"https://localhost:{portal}"
        service.exchange = f"http://localhost:{exchange}"
        yield service


def _is_admitted(activation: Activation, run: bytes, init: Init) -> bool:
    if activation.context.kind == "code":
        return activation.redeemed is None and init.admission is UNSET
    return check_admission(activation.prs, run, init.admission)


def _entry(key: SigningKey) -> KeyEntry:
    return KeyEntry(key.kid, key.public)


@contextmanager
def _serving(service: Service, context: ssl.SSLContext | None) -> Iterator[int]:
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    service: Service

    def do_GET(self) -> None:
        self._serve(b"")

    def do_DELETE(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            # Whoever was killed while sending has asked nothing.
            self.close_connection = True
            return
        self._serve(body)

    def _serve(self, body: bytes) -> None:
        self.service.requests.append((self.path, body))
        answer: Message | None = self._answer(body)
        for fault in self.service.faults:
            answer = fault(self.path, answer) if answer else None
        if answer is None:
            self.close_connection = True
            return
        status, content_type, content = answer
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if status in (429, 503) and self.service.retry_after is not None:
            self.send_header("Retry-After", str(self.service.retry_after))
        if self.service.link is not None:
            self.send_header("Link", self.service.link)
            self.service.link = None
        self.end_headers()
        self.wfile.write(content)

    def _answer(self, body: bytes) -> Message:
        if self.service.api is None or not self.path.startswith("/api/v1/"):
            return self.service.answer(self.path, body)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or None
        return self.service.api(Asked(self.command, self.path, body, token))

    def log_message(self, *_arguments: object) -> None:
        return
