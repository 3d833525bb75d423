"""Key sets that must be refused, each with the one reason why."""

from dataclasses import replace
from typing import Any, Final

from nacl.bindings import crypto_core_ed25519_add

from protocol import trust
from protocol.encoding import encode
from protocol.signing import VerifyKey, sign_jws
from protocol.trust import ExchangeEntry, KeyEntry, sign_key_set
from tests.vectors import cast, origins

Json = dict[str, Any]


def cases() -> list[Json]:
    """Every case: name, key_set, expect, and minimum_version where it matters."""
    own = sign_key_set(cast.KEY_SET, cast.ROOT)
    return [
        {"name": "as it is", "key_set": own.decode(), "expect": "accepted"},
        {
            "name": "signed by the second root",
            "key_set": sign_key_set(cast.KEY_SET, cast.NEXT_ROOT).decode(),
            "expect": "accepted",
        },
        {
            "name": "signed by a document key",
            "key_set": sign_key_set(cast.KEY_SET, cast.DOCUMENTS).decode(),
            "expect": "unknown-key",
        },
        {
            "name": "typ of a document",
            "key_set": sign_jws(b"{}", cast.ROOT, "handfast-activation+jwt").decode(),
            "expect": "header",
        },
        {
            "name": "older than known",
            "key_set": own.decode(),
            "minimum_version": 8,
            "expect": "stale-key-set",
        },
        *(
            {
                "name": name,
                "key_set": _signed(change),
                "expect": reason,
            }
            for name, reason, change in _changes()
        ),
    ]


def _changes() -> list[tuple[str, str, Json]]:
    documents = cast.KEY_SET.documents
    listed = ExchangeEntry(cast.EXCHANGE, (cast.entry(cast.EXCHANGE_KEY),))
    small, mixed = KeyEntry(VerifyKey(bytes(32)).kid, bytes(32)), _mixed()
    return [
        ("another issuer", "wrong-issuer", {"iss": "https://localhost:9443"}),
        ("expired", "expired", {"exp": cast.NOW - 60}),
        ("issued too far ahead", "not-yet-valid", {"iat": cast.NOW + 61}),
        ("lives 91 days", "payload", {"exp": cast.KEY_SET.iat + 91 * 86_400}),
        ("no document keys", "payload", {"documents": ()}),
        ("no exchanges", "payload", {"exchanges": ()}),
        ("a key twice", "payload", {"documents": documents * 2}),
        ("a key for two purposes", "payload", {"documents": (cast.entry(cast.EXCHANGE_KEY),)}),
        ("an exchange twice", "payload", {"exchanges": (listed, listed)}),
        ("kid of another key", "payload", {"documents": (replace(documents[0], kid="A" * 43),)}),
        ("key of small order", "payload", {"documents": (small,)}),
        ("key of mixed order", "payload", {"documents": (mixed,)}),
        ("exchange key of mixed order", "payload", _at(cast.EXCHANGE, mixed)),
        *((f"exchange {url}", "accepted", _at(url)) for url in origins.EXCHANGES),
        *((f"exchange {url!r}", "payload", _at(url)) for url in origins.NO_EXCHANGES),
        *((f"issuer {iss!r}", "payload", {"iss": iss}) for iss in _CONTROLS),
    ]


_CONTROLS: Final = tuple(f"{cast.ISSUER}{control}" for control in ("\n", "\b", "\x01"))


def _mixed() -> KeyEntry:
    """A document key plus the point of order 2: half of its signatures verify under this too."""
    two = (2**255 - 20).to_bytes(32, "little")
    x = VerifyKey(crypto_core_ed25519_add(cast.DOCUMENTS.public, two))
    return KeyEntry(x.kid, x.x)


def _signed(change: Json) -> str:
    """A key set that `sign_key_set` would refuse to sign."""
    payload = encode(trust._to_wire(replace(cast.KEY_SET, **change)))
    return sign_jws(payload, cast.ROOT, trust.TYP).decode()


def _at(url: str, key: KeyEntry | None = None) -> Json:
    return {"exchanges": (ExchangeEntry(url, (key or cast.entry(cast.EXCHANGE_KEY),)),)}
