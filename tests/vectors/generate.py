"""Write the handfast-*.json vectors: python -m tests.vectors.generate. Same input, same bytes."""

import hashlib
import json
import sys
from typing import Any, Final

from protocol import cpace, key_schedule, service_uid, words
from protocol.encoding import b64u, lv_cat
from protocol.key_schedule import expand, extract, labelled
from protocol.messages import read_init, read_reply
from protocol.trust import sign_key_set
from tests.vectors import cast, documents, exchanges, keysets, origins, spoilt_json

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
        "handfast-run.json": run(),
        "handfast-messages.json": {"cases": spoilt_json.cases()},
        "handfast-exchange.json": {"cases": exchanges.cases()},
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


def run() -> Json:
    """The fixed run, every intermediate value in hex, every message as sent."""
    return {"given": _given(), "values": {**_pake(), **_schedule()}, **_messages()}


def _given() -> Json:
    scalar = cast.seed("device", 64)[32:]
    return {
        "issuer": cast.ISSUER,
        "activation": cast.CONTEXT.activation,
        "kind": "document",
        "bound_jkt": "",
        "sub": cast.DOCUMENT.sub,
        "grants": [
            {"id": one.id, "account": one.account, "service": one.service, "uid": one.service_uid}
            for one in cast.NAMES
        ],
        "prs": cast.PRS.hex(),
        "nonce": cast.seed("device").hex(),
        "device_scalar": scalar.hex(),
        "kem_seed": cast.seed("device", 128)[64:].hex(),
        "service_scalar": cast.seed("service").hex(),
        "kem_ciphertext": cast.encapsulated()[1].hex(),
        "exchange_key_seed": cast.EXCHANGE_KEY.seed().hex(),
        "identity_seed": cast.IDENTITY.seed().hex(),
        "device": {
            "name": cast.DEVICE.name,
            "platform": cast.DEVICE.platform,
            "handler": cast.DEVICE.handler,
        },
    }


def _pake() -> Json:
    played = cast.run()
    init, reply = read_init(played.init), read_reply(played.replied.reply)
    text = cpace.generator_string(cast.PRS, cast.CONTEXT.channel(), init.nonce)
    k = cpace.agree(cast.seed("service"), init.share)
    isk = cpace.intermediate_key(init.nonce, k, (init.share, init.kem), (reply.share, reply.kem))
    return {
        "ci": cast.CONTEXT.channel().hex(),
        "generator_string": text.hex(),
        "generator_hash": hashlib.sha512(text).digest()[:32].hex(),
        "ya": init.share.hex(),
        "ek": init.kem.hex(),
        "yb": reply.share.hex(),
        "k": k.hex(),
        "isk": isk.hex(),
        "kem_secret": played.kem_secret.hex(),
    }


_LABELS: Final = {"device tag": 64, "service tag": 64, "device seal": 32, "service seal": 32}


def _schedule() -> Json:
    secrets, pending = cast.run().replied.secrets, cast.run().pending
    label = b"handfast/1 admission"
    return {
        "th1": pending.run.hex(),
        "k_adm": expand(extract(label, cast.PRS), label, 64).hex(),
        "admission": key_schedule.admission_tag(cast.PRS, pending.run).hex(),
        "th2": secrets.th2.hex(),
        "psk": extract(b"handfast/1 psk", cast.PRS).hex(),
        "prk": secrets.prk.hex(),
        "th3": pending.th3.hex(),
        **{
            name: labelled(secrets.prk, name, secrets.th2, length).hex()
            for name, length in _LABELS.items()
        },
    }


def _messages() -> Json:
    played = cast.run()
    return {
        "init": played.init.decode(),
        "reply": played.replied.reply.decode(),
        "confirm": played.pending.confirm.decode(),
        "complete": played.completed.body.decode(),
        "jkt": cast.IDENTITY.kid,
        "keys": [
            {
                "grant": one.grant,
                "session_key": one.key.hex(),
                "key_id": one.key_id,
                "fingerprint": one.fingerprint.hex(),
                "words": list(one.words),
                "purpose_key contacts to-device": one.purpose_key("contacts", "to-device").hex(),
            }
            for one in played.established.keys
        ],
    }


def _current(name: str) -> str:
    path = cast.FOLDER / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


if __name__ == "__main__":
    raise SystemExit(main())
