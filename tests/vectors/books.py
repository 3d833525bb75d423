"""Service books: good ones, and each reason why one is refused."""

from typing import Any, Final

from protocol import service_book
from protocol.encoding import encode
from protocol.service_book import Server, ServiceBook, Sync, book_hash, sign_book
from protocol.signing import SigningKey, sign_jws
from protocol.trust import sign_key_set
from tests.vectors import cast

Json = dict[str, Any]

KEY: Final = cast.run().established.keys[0]
IMAP: Final = Server("imap", "imap.example.org", 993, "tls", "ann@example.org")
SMTP: Final = Server("smtp", "smtp.example.org", 587, "starttls", "ann@example.org")
BOOK: Final = ServiceBook(
    iss=cast.ISSUER,
    iat=cast.NOW,
    account=KEY.account,
    service=KEY.service,
    service_uid=KEY.service_uid,
    provider="Example Mail",
    servers=(IMAP, SMTP),
    sync=Sync(900),
)
RAW: Final = sign_book(BOOK, cast.EXCHANGE_KEY)


def content() -> Json:
    """A key set and the books verified under it; the hash is that of the first."""
    return {
        "now": cast.NOW,
        "exchange": cast.EXCHANGE,
        "key_set": sign_key_set(cast.KEY_SET, cast.ROOT).decode(),
        "key": {
            "account": KEY.account,
            "service": KEY.service,
            "service_uid": KEY.service_uid,
        },
        "hash": book_hash(RAW.decode()),
        "cases": cases(),
    }


def cases() -> list[Json]:
    """Every case: name, book, expect; is_for says whether an accepted one is for `key`."""
    return [
        {"name": name, "book": raw.decode(), "expect": expect, **more}
        for name, expect, raw, more in (*_signers(), *_others(), *_forms())
    ]


_Case = tuple[str, str, bytes, Json]


def _signers() -> list[_Case]:
    return [
        ("signed by the exchange key", "accepted", RAW, {"is_for": True}),
        ("signed by a document key", "accepted", _signed({}, cast.DOCUMENTS), {"is_for": True}),
        ("signed by a root", "unknown-key", _signed({}, cast.ROOT), {}),
        ("signed by a stranger", "unknown-key", _signed({}, cast.STRANGER), {}),
        ("signed by the device", "unknown-key", _signed({}, cast.IDENTITY), {}),
        ("typ of a notice", "header", _signed({}, typ="handfast-notice+jwt"), {}),
        ("typ of a document", "header", _signed({}, typ="handfast-activation+jwt"), {}),
        ("signature of another book", "bad-signature", _spliced(), {}),
        ("a final newline", "not-a-document", RAW + b"\n", {}),
    ]


def _others() -> list[_Case]:
    uid = cast.NAMES[1].service_uid
    no_key = {"is_for": False}
    return [
        ("no servers", "accepted", _signed({"servers": []}), {"is_for": True}),
        ("no provider", "accepted", _signed({"provider": None}), {"is_for": True}),
        ("another account", "accepted", _signed({"account": "bob@example.org"}), no_key),
        ("another service", "accepted", _signed({"service": "contacts"}), no_key),
        ("another service UID", "accepted", _signed({"service_uid": uid}), no_key),
        ("another issuer", "wrong-issuer", _signed({"iss": "https://localhost:9443"}), {}),
        ("another audience", "wrong-audience", _signed({"aud": "handfast-portal"}), {}),
    ]


def _forms() -> list[_Case]:
    changes: list[tuple[str, Json]] = [
        ("a server twice", {"servers": [IMAP, IMAP]}),
        ("nine servers", {"servers": [_server(port=993 + n) for n in range(9)]}),
        ("a service UID with a wrong check", {"service_uid": KEY.service_uid[:-1] + "0"}),
        ("an account over two lines", {"account": "ann\nexample.org"}),
        ("an interval of 59 seconds", {"sync": {"interval": 59}}),
        ("an interval of eight days", {"sync": {"interval": 8 * 86_400}}),
        ("a member more", {"password": "hunter2"}),
        *((name, {"servers": [_server(**change)]}) for name, change in _SERVERS),
    ]
    hosts = [_server(host=host) for host in ("localhost", "127.0.0.1", "[::1]", "a-b.example")]
    return [
        ("hosts of every form", "accepted", _signed({"servers": hosts}), {"is_for": True}),
        *((name, "payload", _signed(change), {}) for name, change in changes),
    ]


_SERVERS: Final[list[tuple[str, Json]]] = [
    ("role of an unknown server", {"role": "pop3"}),
    ("no security", {"security": "none"}),
    ("port 0", {"port": 0}),
    ("port 65536", {"port": 65_536}),
    ("an empty user name", {"username": ""}),
    *(
        (f"host {host!r}", {"host": host})
        for host in ("", "Mail.example.org", "mail.example.org.", "a b", "::1", "[::1", "a:993")
    ),
]


def _server(**change: Any) -> Json:
    return {
        "role": IMAP.role,
        "host": IMAP.host,
        "port": IMAP.port,
        "security": IMAP.security,
        "username": IMAP.username,
        **change,
    }


def _signed(
    change: Json, signer: SigningKey = cast.EXCHANGE_KEY, typ: str = service_book.TYP
) -> bytes:
    """A book that `sign_book` might refuse to sign."""
    claims = {name: getattr(BOOK, name) for name in BOOK.__struct_fields__}
    return sign_jws(encode({**claims, **change}), signer, typ)


def _spliced() -> bytes:
    """The header and payload of one book with the signature of another."""
    other = _signed({"iat": cast.NOW + 1})
    return other.rpartition(b".")[0] + b"." + RAW.rpartition(b".")[2]
