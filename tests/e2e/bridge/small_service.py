"""The service behind the small portal: real keys and documents, an exchange without a store."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plugin.device import Device
from plugin.paths import Paths
from protocol import service_uid
from protocol.activation import ActivationDocument, Grant, document_prs, sign_document
from protocol.channel import ReportAnswer, open_request, read_packet, seal_packet
from protocol.encoding import b64u
from protocol.handshake import (
    Context,
    GrantName,
    RunSecrets,
    SessionKey,
    accept_confirm,
    complete,
    read_confirm,
    read_init,
    respond,
)
from protocol.media_type import EXCHANGE
from protocol.signing import SigningKey, VerifyKey
from protocol.trust import ExchangeEntry, KeyEntry, KeySet, TrustBundle, sign_key_set

SERVICES = ("mail", "contacts", "calendar")


@dataclass
class SmallService:
    """Keys and documents of one issuer, and what its exchange agreed on."""

    issuer: str
    exchange: str
    root: SigningKey = field(default_factory=lambda: SigningKey.generate(entropy=os.urandom))
    signer: SigningKey = field(default_factory=lambda: SigningKey.generate(entropy=os.urandom))
    exchange_key: SigningKey = field(
        default_factory=lambda: SigningKey.generate(entropy=os.urandom)
    )
    posts: list[str] = field(default_factory=list)
    keys: tuple[SessionKey, ...] = ()
    _issued: dict[str, tuple[ActivationDocument, bytes]] = field(default_factory=dict)
    _runs: dict[bytes, RunSecrets] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        return self._bundle().fingerprint

    def document(
        self, account: str = "ann@example.org", *, lifetime: int = 300, jkt: str | None = None
    ) -> bytes:
        """Issue a document with a grant for every service of the account."""
        now = int(time.time())
        grants = tuple(
            Grant(
                b64u(os.urandom(16)),
                account,
                name,
                service_uid.make(1, entropy=os.urandom),
                os.urandom(32),
            )
            for name in SERVICES
        )
        activation = b64u(os.urandom(16))
        sub = b64u(os.urandom(16))
        document = ActivationDocument(
            self.issuer, now, now + lifetime, activation, sub, self.exchange, grants, jkt=jkt
        )
        raw = sign_document(document, self.signer)
        self._issued[activation] = (document, raw)
        return raw

    def markers(self) -> list[bytes]:
        """Return pieces of every document issued: its payload, its signature and its passwords."""
        return [
            piece
            for document, raw in self._issued.values()
            for piece in (
                raw.split(b".")[1][:48],
                raw.split(b".")[2][:48],
                *(grant.password for grant in document.grants),
                *(b64u(grant.password).encode() for grant in document.grants),
            )
        ]

    def become_trusted(self, home: os.PathLike[str]) -> None:
        """Do what `handfast trust add` does once the person has compared the fingerprint."""
        self.become_trusted_by(
            Device.open(Paths.from_environment({"HANDFAST_HOME": os.fspath(home)}))
        )

    def become_trusted_by(self, device: Device) -> None:
        """The same, for a device that is open."""
        device.trust.add(self._bundle(), sign_key_set(self._key_set(), self.root), ca_file=None)
        device.identity(self.issuer)

    def answer(self, path: str, body: bytes) -> bytes:
        """Run one step of the exchange, without any of the admission a real one has."""
        if path == "/packet":
            return self._take_report(body)
        self.posts.append(path)
        return self._reply(body) if path == "/init" else self._complete(body)

    def _reply(self, body: bytes) -> bytes:
        init = read_init(body)
        document, raw = self._issued[init.activation]
        replied = respond(
            Context(self.issuer, init.activation, bound_jkt=document.jkt),
            document_prs(raw, [grant.password for grant in document.grants]),
            init,
            exchange_key=self.exchange_key,
            entropy=os.urandom,
        )
        self._runs[replied.run] = replied.secrets
        return replied.reply

    def _complete(self, body: bytes) -> bytes:
        confirm = read_confirm(body)
        document, _raw = self._issued[confirm.activation]
        secrets = self._runs[confirm.run]
        grants = [
            GrantName(grant.id, grant.account, grant.service, grant.service_uid)
            for grant in document.grants
        ]
        done = complete(secrets, accept_confirm(secrets, confirm), sub=document.sub, grants=grants)
        self.keys += done.keys
        return done.body

    def _take_report(self, body: bytes) -> bytes:
        """A device reports in under a new key: there is nothing to tell it."""
        packet = read_packet(body)
        (key,) = [key for key in self.keys if key.key_id == packet.key]
        open_request(key, packet)
        answer = ReportAnswer(book=None, waiting=False, rotation=None, at=int(time.time()))
        return seal_packet(key, "to-device", packet.number, answer)

    def _bundle(self) -> TrustBundle:
        return TrustBundle(self.issuer, (VerifyKey(self.root.public),))

    def _key_set(self) -> KeySet:
        now = int(time.time())
        entry = ExchangeEntry(self.exchange, (_entry(self.exchange_key),))
        return KeySet(self.issuer, 1, now, now + 86400, (_entry(self.signer),), (entry,))


def _entry(key: SigningKey) -> KeyEntry:
    return KeyEntry(key.kid, key.public)


@contextmanager
def small_service(issuer: str) -> Iterator[SmallService]:
    """Serve the issuer's exchange on a free port of 127.0.0.1 until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    service = SmallService(issuer, f"http://127.0.0.1:{server.server_port}")
    server.service = service  # type: ignore[attr-defined] # the library's own way to share
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service: SmallService = self.server.service  # type: ignore[attr-defined] # see above
        answer = service.answer(self.path, body)
        self.send_response(200)
        self.send_header("Content-Type", EXCHANGE)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""
