"""Write the handfast-*.json vectors: python -m tests.vectors.generate. Same input, same bytes."""

import hashlib
import json
import sys
from typing import Any

from protocol import service_uid, words
from protocol.encoding import b64u, lv_cat
from protocol.trust import sign_key_set
from tests.vectors import (
    books,
    cast,
    codes,
    documents,
    exchanges,
    keysets,
    notices,
    origins,
    packets,
    removals,
    rotations,
    runs,
    spoilt_json,
)

Json = dict[str, Any]


def main() -> int:
    """Write every file, or with --check say whether they are current."""
    stale = [name for name, text in texts().items() if _current(name) != text]
    if "--check" not in sys.argv:
        for name in stale:
            (cast.FOLDER / name).write_text(texts()[name], encoding="utf-8")
        return 0
    return 1 if stale else 0


def texts() -> dict[str, str]:
    """File name to content."""
    contents: dict[str, Json] = {
        "handfast-encoding.json": encodings(),
        "handfast-keyset.json": {**trust(), "cases": keysets.cases()},
        "handfast-document.json": document(),
        "handfast-run.json": runs.document(),
        "handfast-messages.json": {"cases": spoilt_json.cases()},
        "handfast-exchange.json": {"cases": exchanges.cases()},
        "handfast-packet.json": packets.content(),
        "handfast-book.json": books.content(),
        "handfast-notice.json": notices.content(),
        "handfast-rotation.json": rotations.content(),
        "handfast-code.json": codes.content(),
        "handfast-removal.json": removals.content(),
    }
    return {
        name: json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        for name, content in contents.items()
    }


def encodings() -> Json:
    """Small things: base64url, length prefixes, thumbprints, service UIDs, origins, words."""
    uid = service_uid.make(5, entropy=cast.entropy("uid mail"))
    return {
        "b64u": [
            {"bytes": data.hex(), "text": b64u(data)} for data in (b"", b"\0", b"\xfb\xff", b"abc")
        ],
        "b64u_refused": ["AA==", "AB", "A", "+/8", "AA\n", " AA", "AAA*", "é"],
        "lv_cat": [
            {"fields": [field.hex() for field in fields], "bytes": lv_cat(*fields).hex()}
            for fields in ((), (b"",), (b"a", b"", b"bc"), (bytes(127), bytes(128)))
        ],
        "thumbprint": [{"x": cast.ROOT.public.hex(), "kid": cast.ROOT.kid}],
        "service_uid": [{"text": uid, "version": 1, "shard": 5, "random": uid[4:-1]}],
        "service_uid_refused": [
            uid.lower(),
            uid[:-1],
            uid + "0",
            uid[:-1] + ("1" if uid[-1] == "0" else "0"),
            "2" + uid[1:],
            "I" + uid[1:],
        ],
        "issuer": list(origins.ISSUERS),
        "issuer_refused": list(origins.NO_ISSUERS),
        "exchange": list(origins.EXCHANGES),
        "exchange_refused": list(origins.NO_EXCHANGES),
        "words": [
            {"fingerprint": fingerprint.hex(), "words": list(words.words(fingerprint))}
            for fingerprint in (bytes(8), b"\xff" * 8, cast.seed("fingerprint", 8))
        ],
        "word_list_sha256": hashlib.sha256(
            "".join(f"{word}\n" for word in words.WORD_LIST).encode()
        ).hexdigest(),
    }


def trust() -> Json:
    """Bundle, fingerprint and key set."""
    return {
        "now": cast.NOW,
        "bundle": cast.BUNDLE.to_json().decode(),
        "fingerprint": cast.BUNDLE.fingerprint,
        "root_seed": cast.ROOT.seed().hex(),
        "key_set": sign_key_set(cast.KEY_SET, cast.ROOT).decode(),
    }


def document() -> Json:
    """The document with what it is checked against."""
    return {
        "now": cast.NOW,
        "origin": cast.ISSUER,
        "device": cast.IDENTITY.kid,
        "document_key_seed": cast.DOCUMENTS.seed().hex(),
        "key_set": sign_key_set(cast.KEY_SET, cast.ROOT).decode(),
        "document": cast.RAW.decode(),
        "passwords": [one.password.hex() for one in cast.DOCUMENT.grants],
        "prs": cast.PRS.hex(),
        "cases": documents.cases(),
    }


def _current(name: str) -> str:
    path = cast.FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
