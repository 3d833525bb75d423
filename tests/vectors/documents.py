"""Documents that must be refused, each with the one reason why."""

import json
from dataclasses import replace
from typing import Any

from protocol import activation
from protocol.activation import sign_document
from protocol.encoding import b64u, encode, unb64u
from protocol.signing import SigningKey, sign_jws
from protocol.trust import ExchangeEntry, TrustBundle, sign_key_set
from tests.vectors import cast

Json = dict[str, Any]
_TYP = "handfast-activation+jwt"


def cases() -> list[Json]:
    """Every case: name, document, expect, and what differs from the file's defaults."""
    return [
        *({"name": name, "document": text, "expect": reason} for name, reason, text in _forms()),
        *(
            {"name": name, "document": _signed(payload), "expect": "payload"}
            for name, payload in _payloads()
        ),
        *_claims(),
        *_circumstances(),
        *_neighbours(),
    ]


def _forms() -> list[tuple[str, str, str]]:
    raw = cast.RAW.decode()
    header, payload, signature = raw.split(".")
    forged = cast.STRANGER.sign(f"{header}.{payload}".encode())
    return [
        ("empty", "not-a-document", ""),
        ("larger than 65,536 bytes", "too-large", raw + "A" * 65_536),
        ("two parts", "not-a-document", f"{header}.{payload}"),
        ("four parts", "not-a-document", raw + "."),
        ("truncated", "not-a-document", raw[:-1]),
        ("final newline", "not-a-document", raw + "\n"),
        ("not ASCII", "not-a-document", raw.replace(payload[5], "é", 1)),
        ("padded signature", "not-a-document", raw + "=="),
        ("non-canonical signature", "not-a-document", raw[:-1] + _next(raw[-1])),
        ("empty payload", "not-a-document", f"{header}..{signature}"),
        ("altered payload", "bad-signature", _altered(header, payload, signature)),
        ("signature of another key", "bad-signature", f"{header}.{payload}.{b64u(forged)}"),
        ("signature of zeros", "bad-signature", f"{header}.{payload}.{b64u(bytes(64))}"),
        ("foreign kid", "unknown-key", sign_document(cast.DOCUMENT, cast.STRANGER).decode()),
        ("exchange key", "unknown-key", sign_document(cast.DOCUMENT, cast.EXCHANGE_KEY).decode()),
        ("root key", "unknown-key", sign_document(cast.DOCUMENT, cast.ROOT).decode()),
        ("typ of a key set", "header", _typed("handfast-keys+jwt")),
        ("typ in capitals", "header", _typed("HANDFAST-ACTIVATION+JWT")),
        *((name, "header", _headed(text)) for name, text in _headers()),
    ]


def _headers() -> list[tuple[str, str]]:
    kid, typ = f'"kid":"{cast.DOCUMENTS.kid}"', f'"typ":"{_TYP}"'
    return [
        ("alg none", f'{{"alg":"none",{kid},{typ}}}'),
        ("alg EdDSA", f'{{"alg":"EdDSA",{kid},{typ}}}'),
        ("alg HS256", f'{{"alg":"HS256",{kid},{typ}}}'),
        ("no alg", f"{{{kid},{typ}}}"),
        ("no kid", f'{{"alg":"Ed25519",{typ}}}'),
        ("no typ", f'{{"alg":"Ed25519",{kid}}}'),
        ("extra header member", f'{{"alg":"Ed25519",{kid},{typ},"jku":"https://evil.example/"}}'),
        ("crit", f'{{"alg":"Ed25519",{kid},{typ},"crit":["b64"],"b64":false}}'),
        ("header members in another order", f'{{{typ},"alg":"Ed25519",{kid}}}'),
        ("duplicate header member", f'{{"alg":"Ed25519","alg":"Ed25519",{kid},{typ}}}'),
        ("white space in the header", f'{{"alg": "Ed25519",{kid},{typ}}}'),
        ("kid is a number", f'{{"alg":"Ed25519","kid":1,{typ}}}'),
        ("header is a list", "[]"),
    ]


def _payloads() -> list[tuple[str, str]]:
    text = _payload()
    first = json.loads(text)["grants"][0]
    password = first["password"]
    return [
        ("not JSON", "activate!"),
        ("a list", "[]"),
        ("duplicate member", text.replace("{", '{"iss":"https://localhost:8443",', 1)),
        ("duplicate member in a grant", text.replace('"id":', '"id":"x","id":', 1)),
        ("unknown member", text[:-1] + ',"admin":true}'),
        ("unknown member in a grant", text.replace('"id":', '"scope":"all","id":', 1)),
        ("missing sub", text.replace(f'"sub":"{cast.DOCUMENT.sub}",', "")),
        ("white space", text.replace(":", ": ", 1)),
        ("needless escape", text.replace("ann@", "\\u0061nn@", 1)),
        ("iat is a string", text.replace(str(cast.NOW), f'"{cast.NOW}"', 1)),
        ("iat is a fraction", text.replace(str(cast.NOW), f"{cast.NOW}.0", 1)),
        ("iat is negative", text.replace(str(cast.NOW), "-1", 1)),
        ("null for cnf", text[:-1] + ',"cnf":null}'),
        ("empty cnf", text[:-1] + ',"cnf":{}}'),
        ("password of 31 bytes", text.replace(password, b64u(bytes(31)), 1)),
        ("password padded", text.replace(password, password + "=", 1)),
        ("password not canonical", text.replace(password, password[:-1] + _next(password[-1]), 1)),
        ("account with a control character", text.replace("ann@", "\\u0007ann@", 1)),
        ("account with a bidirectional override", text.replace("ann@", "\u202eann@", 1)),
        ("account is empty", text.replace("ann@example.org", "", 1)),
        ("service in capitals", text.replace('"mail"', '"MAIL"', 1)),
        ("service UID with a wrong check symbol", _bad_uid(text)),
        ("activation id of 15 bytes", text.replace(cast.DOCUMENT.jti, b64u(bytes(15)), 1)),
        ("nested too deep", text.replace('"mail"', "[" * 5 + "]" * 5, 1)),
        ("trailing comma", text[:-1] + ",}"),
        ("byte order mark", "\ufeff" + text),
        *_escaped(text),
    ]


def _escaped(text: str) -> list[tuple[str, str]]:
    """Members without a form of their own: only the rule for all strings refuses these."""
    members = ("iss", "aud", "suite", "exchange", "service_uid")
    return [
        (f"{member} with {escape}", text.replace(f'"{member}":"', f'"{member}":"{escape}', 1))
        for member in members
        for escape in ("\\n", "\\b", "\\u0001")
    ]


def _claims() -> list[Json]:
    first = cast.DOCUMENT.grants[0]
    changes: list[tuple[str, str, Json]] = [
        ("no grants", "payload", {"grants": ()}),
        ("a grant twice", "payload", {"grants": (first, first)}),
        ("lives 601 seconds", "payload", {"exp": cast.NOW + 601}),
        ("expires when issued", "payload", {"exp": cast.NOW}),
        ("another issuer", "wrong-issuer", {"iss": "https://localhost:9443"}),
        ("another audience", "wrong-audience", {"aud": "handfast-server"}),
        ("another suite", "unsupported-suite", {"suite": "CPACE-X25519-SHA512"}),
        ("issued too far ahead", "not-yet-valid", {"iat": cast.NOW + 61}),
        ("expired", "expired", {"iat": cast.NOW - 360, "exp": cast.NOW - 60}),
        ("unlisted exchange", "unknown-exchange", {"exchange": "http://evil.example"}),
        ("exchange with a slash", "unknown-exchange", {"exchange": cast.EXCHANGE + "/"}),
        ("bound to another device", "wrong-device", {"jkt": cast.STRANGER.kid}),
        ("bound to this device", "accepted", {"jkt": cast.IDENTITY.kid}),
        ("issued 60 seconds ahead", "accepted", {"iat": cast.NOW + 60}),
        ("expired 59 seconds ago", "accepted", {"iat": cast.NOW - 359, "exp": cast.NOW - 59}),
    ]
    return [
        {
            "name": name,
            "document": _signed(_claims_of(change)),
            "expect": reason,
        }
        for name, reason, change in changes
    ]


def _circumstances() -> list[Json]:
    raw = cast.RAW.decode()
    return [
        {"name": "as it is", "document": raw, "expect": "accepted"},
        {"name": "from a file", "document": raw, "origin": None, "expect": "accepted"},
        {"name": "from another origin", "origin": "https://evil.example", "expect": "wrong-origin"},
        {"name": "from another port", "origin": "https://localhost", "expect": "wrong-origin"},
        {"name": "used before", "seen": True, "expect": "already-used"},
        {"name": "much later", "now": cast.NOW + 361, "expect": "expired"},
        {"name": "key set ran out", "now": cast.KEY_SET.exp + 60, "expect": "stale-key-set"},
    ]


def _neighbours() -> list[Json]:
    """What changes when another issuer is trusted as well."""
    raw = cast.RAW.decode()
    for_ann = sign_document(cast.DOCUMENT, cast.STRANGER).decode()
    shares, differs = _also(cast.DOCUMENTS), _also(cast.STRANGER)
    return [
        {"name": "another issuer is trusted", "document": raw, **differs, "expect": "accepted"},
        {"name": "kid of two issuers", "document": raw, **shares, "expect": "unknown-key"},
        {
            "name": "key of another trusted issuer",
            "document": for_ann,
            **differs,
            "expect": "wrong-issuer",
        },
    ]


def _also(documents: SigningKey) -> Json:
    """A second trusted issuer whose documents that key signs."""
    issuer, root = "https://other.example", cast.key("other root")
    listed = ExchangeEntry("http://other.example", (cast.entry(cast.key("other exchange")),))
    key_set = replace(
        cast.KEY_SET, iss=issuer, documents=(cast.entry(documents),), exchanges=(listed,)
    )
    bundle = TrustBundle(issuer, (root.verify_key,)).to_json().decode()
    return {"also": {"bundle": bundle, "key_set": sign_key_set(key_set, root).decode()}}


def _payload() -> str:
    part = cast.RAW.decode().split(".")[1]
    return unb64u(part).decode()


def _claims_of(change: Json) -> str:
    """Claims that `sign_document` would refuse to sign."""
    return encode(activation._to_wire(replace(cast.DOCUMENT, **change))).decode()


def _signed(payload: str, key: SigningKey = cast.DOCUMENTS) -> str:
    return sign_jws(payload.encode(), key, _TYP).decode()


def _typed(typ: str) -> str:
    return sign_jws(_payload().encode(), cast.DOCUMENTS, typ).decode()


def _headed(header: str) -> str:
    signed = f"{b64u(header.encode())}.{cast.RAW.decode().split('.')[1]}"
    return f"{signed}.{b64u(cast.DOCUMENTS.sign(signed.encode()))}"


def _altered(header: str, payload: str, signature: str) -> str:
    other = _payload().replace("ann@example.org", "bob@example.org", 1)
    return f"{header}.{b64u(other.encode())}.{signature}" if payload else ""


def _next(symbol: str) -> str:
    """The next symbol of the alphabet, which changes only bits that canonical text has zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return alphabet[alphabet.index(symbol) + 1]


def _bad_uid(text: str) -> str:
    uid = cast.DOCUMENT.grants[0].service_uid
    return text.replace(uid, uid[:-1] + ("1" if uid[-1] == "0" else "0"), 1)
