"""Notices that a key is over: three good ones, and each reason why one is refused."""

from typing import Any

from protocol import notice
from protocol.encoding import encode
from protocol.notice import Notice, sign_notice
from protocol.signing import SigningKey, sign_jws
from protocol.trust import sign_key_set
from tests.vectors import books, cast

Json = dict[str, Any]


def content() -> Json:
    """A key set and the notices verified under it."""
    return {
        "now": cast.NOW,
        "exchange": cast.EXCHANGE,
        "key_set": sign_key_set(cast.KEY_SET, cast.ROOT).decode(),
        "key": books.KEY.key_id,
        "cases": cases(),
    }


def cases() -> list[Json]:
    """Every case: name, notice, expect; now and exchange where they matter."""
    good, retired = _good("revoked"), _good("retired")
    end = cast.KEY_SET.exp + 60
    made: list[tuple[str, str, bytes, Json]] = [
        ("revoked", "accepted", good, {}),
        ("retired", "accepted", retired, {}),
        ("remove", "accepted", _good("remove"), {}),
        ("months later", "accepted", good, {"now": end - 1}),
        ("after the key set", "stale-key-set", good, {"now": end}),
        ("another exchange", "unknown-key", good, {"exchange": "http://localhost:8481"}),
        ("signed by a document key", "unknown-key", _signed({}, cast.DOCUMENTS), {}),
        ("signed by a root", "unknown-key", _signed({}, cast.ROOT), {}),
        ("signed by a stranger", "unknown-key", _signed({}, cast.STRANGER), {}),
        ("typ of a book", "header", _signed({}, typ="handfast-book+jwt"), {}),
        ("signature of another notice", "bad-signature", _spliced(good, retired), {}),
        ("another issuer", "wrong-issuer", _signed({"iss": "https://localhost:9443"}), {}),
        ("another audience", "wrong-audience", _signed({"aud": "handfast-portal"}), {}),
        ("issued too far ahead", "not-yet-valid", _signed({"iat": cast.NOW + 61}), {}),
        ("a state that ends nothing", "payload", _signed({"state": "active"}), {}),
        ("no key", "payload", _signed({"key": None}), {}),
        ("a key id too long", "payload", _signed({"key": cast.EXCHANGE_KEY.kid}), {}),
        ("a member more", "payload", _signed({"device": cast.IDENTITY.kid}), {}),
    ]
    return [
        {"name": name, "notice": raw.decode(), "expect": expect, **more}
        for name, expect, raw, more in made
    ]


def _good(state: Any) -> bytes:
    return sign_notice(
        Notice(iss=cast.ISSUER, iat=cast.NOW, key=books.KEY.key_id, state=state),
        cast.EXCHANGE_KEY,
    )


def _signed(change: Json, signer: SigningKey = cast.EXCHANGE_KEY, typ: str = notice.TYP) -> bytes:
    """A notice that `sign_notice` might refuse to sign."""
    claims = {
        "iss": cast.ISSUER,
        "aud": "handfast-device",
        "iat": cast.NOW,
        "key": books.KEY.key_id,
        "state": "revoked",
    }
    return sign_jws(encode({**claims, **change}), signer, typ)


def _spliced(one: bytes, other: bytes) -> bytes:
    return one.rpartition(b".")[0] + b"." + other.rpartition(b".")[2]
