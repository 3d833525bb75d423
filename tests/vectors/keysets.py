"""Key sets that must be refused, each with the one reason why."""

from dataclasses import replace
from typing import Any

from protocol import trust
from protocol.encoding import encode
from protocol.signing import sign_jws
from protocol.trust import ExchangeEntry, KeyEntry, sign_key_set
from tests.vectors import cast

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
    small = KeyEntry("A" * 43, bytes(32))
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
        ("exchange URL with a query", "payload", _at("http://localhost:8480?x")),
        ("exchange URL with a user", "payload", _at("http://ann@localhost:8480")),
        ("kid of another key", "payload", {"documents": (replace(documents[0], kid="A" * 43),)}),
        ("key of small order", "payload", {"documents": (small,)}),
    ]


def _signed(change: Json) -> str:
    """A key set that `sign_key_set` would refuse to sign."""
    payload = encode(trust._to_wire(replace(cast.KEY_SET, **change)))
    return sign_jws(payload, cast.ROOT, trust.TYP).decode()


def _at(url: str) -> Json:
    return {"exchanges": (ExchangeEntry(url, (cast.entry(cast.EXCHANGE_KEY),)),)}
