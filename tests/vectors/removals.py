"""A device answers that everything is removed, and the exchange acknowledges it."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from protocol.encoding import Bytes64, decode, encode
from protocol.notice import Notice, sign_notice
from protocol.removal import Noted, Removed, noted, read_removed, removed
from protocol.trust import sign_key_set
from tests.vectors import books, cast

Json = dict[str, Any]
_change = msgspec.structs.replace

NOTICE: Final = Notice(iss=cast.ISSUER, iat=cast.NOW, key=books.KEY.key_id, state="remove")
BODY: Final = removed(NOTICE, cast.IDENTITY)
SAID: Final = read_removed(BODY)
ANSWER: Final = noted(SAID, cast.ISSUER, cast.EXCHANGE_KEY)


def content() -> Json:
    """The notice, the statement, its acknowledgement, and bodies to be refused."""
    return {
        "now": cast.NOW,
        "exchange": cast.EXCHANGE,
        "key_set": sign_key_set(cast.KEY_SET, cast.ROOT).decode(),
        "identity_seed": cast.IDENTITY.seed().hex(),
        "exchange_key_seed": cast.EXCHANGE_KEY.seed().hex(),
        "notice": sign_notice(NOTICE, cast.EXCHANGE_KEY).decode(),
        "removed": BODY.decode(),
        "noted": ANSWER.decode(),
        "cases": cases(),
    }


def cases() -> list[Json]:
    """Every case: name, step (who receives what), body, expect."""
    steps: dict[str, Callable[[], list[tuple[str, str, bytes]]]] = {
        "service receives removed": _statements,
        "device receives noted": _answers,
    }
    return [
        {"name": name, "step": step, "body": body.decode(), "expect": expect}
        for step, make in steps.items()
        for name, expect, body in make()
    ]


def _statements() -> list[tuple[str, str, bytes]]:
    other = removed(_change(NOTICE, iss="https://localhost:9443"), cast.IDENTITY)
    reflected = decode(ANSWER, Noted).signature
    return [
        ("as it is", "accepted", BODY),
        ("of another device", "refused", removed(NOTICE, cast.STRANGER)),
        ("signed by another device", "refused", _signed_by_stranger()),
        ("for another issuer", "refused", other),
        ("of another time", "refused", encode(_change(SAID, at=cast.NOW + 1))),
        ("about another key", "refused", encode(_change(SAID, key=cast.identifier("key")))),
        ("with the acknowledgement's signature", "refused", _with(reflected)),
        ("without a signature", "malformed", _without_signature()),
        ("a version that is not known", "malformed", BODY.replace(b'"v":1', b'"v":2')),
    ]


def _answers() -> list[tuple[str, str, bytes]]:
    later = noted(_change(SAID, at=cast.NOW + 1), cast.ISSUER, cast.EXCHANGE_KEY)
    by_documents = noted(SAID, cast.ISSUER, cast.DOCUMENTS)
    mine = Noted(v=1, key=cast.EXCHANGE_KEY.kid, signature=SAID.signature)
    return [
        ("as it is", "accepted", ANSWER),
        ("of another statement", "bad-signature", later),
        ("signed by a document key", "unknown-key", by_documents),
        ("the statement's own signature", "bad-signature", encode(mine)),
        ("a member more", "malformed", ANSWER[:-1] + b',"at":1}'),
    ]


def _signed_by_stranger() -> bytes:
    theirs = read_removed(removed(NOTICE, cast.STRANGER))
    return encode(_change(SAID, signature=theirs.signature))


def _with(signature: Bytes64) -> bytes:
    return encode(Removed(1, SAID.device, SAID.key, SAID.at, signature))


def _without_signature() -> bytes:
    return BODY.partition(b',"signature"')[0] + b"}"
