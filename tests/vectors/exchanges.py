"""Messages that decode, each for one step of the fixed run; most must still be refused."""

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from protocol import key_schedule
from protocol.encoding import Bytes16, Bytes32, Bytes64, encode, lv_cat
from protocol.key_schedule import labelled, mac
from protocol.messages import (
    Complete,
    Confirm,
    DeviceIdentity,
    EncapsulationKey,
    Init,
    Reply,
    Result,
    read_complete,
    read_confirm,
    read_init,
    read_reply,
)
from protocol.responder import device_statement
from protocol.sealing import seal, unseal
from protocol.signing import SigningKey
from tests.vectors import cast

Json = dict[str, Any]
_change = msgspec.structs.replace


def cases() -> list[Json]:
    """Every case: name, step (who receives what), body, expect."""
    steps: dict[str, Callable[[], list[tuple[str, str, bytes]]]] = {
        "service receives init": _inits,
        "device receives reply": _replies,
        "service receives confirm": _confirms,
        "device receives complete": _completes,
    }
    return [
        {"name": name, "step": step, "body": body.decode(), "expect": expect}
        for step, make in steps.items()
        for name, expect, body in make()
    ]


def low_order() -> list[bytes]:
    """The draft's encodings of points of low order."""
    draft = json.loads((cast.FOLDER / "cpace-draft-21.json").read_text())
    return [bytes.fromhex(one["u"]) for one in draft["low_order"]["cases"] if one["must_abort"]]


def _inits() -> list[tuple[str, str, bytes]]:
    good = read_init(cast.run().init)
    other = Bytes64(bytes(64))
    return [
        ("admission of zeros", "refused", encode(_change(good, admission=other))),
        ("no admission", "refused", encode(_change(good, admission=msgspec.UNSET))),
        ("another nonce", "refused", encode(_change(good, nonce=Bytes32(bytes(32))))),
        (
            "kem not reduced",
            "malformed",
            encode(_admitted(_change(good, kem=EncapsulationKey(b"\xff" * 1184)))),
        ),
        *(
            (
                f"share of low order {n}",
                "refused",
                encode(_admitted(_change(good, share=Bytes32(u)))),
            )
            for n, u in enumerate(low_order())
        ),
    ]


def _replies() -> list[tuple[str, str, bytes]]:
    good = read_reply(cast.run().replied.reply)
    altered = bytes([good.kem[0] ^ 1]) + good.kem[1:]
    return [
        ("signature of zeros", "bad-signature", encode(_change(good, signature=Bytes64(64)))),
        ("altered share", "bad-signature", encode(_change(good, share=Bytes32(low_order()[1])))),
        ("altered kem", "bad-signature", encode(_change(good, kem=type(good.kem)(altered)))),
        ("signed by a stranger", "unknown-key", encode(_resigned(good, cast.STRANGER))),
        ("signed by the document key", "unknown-key", encode(_resigned(good, cast.DOCUMENTS))),
        (
            "kid of the exchange, signature of a stranger",
            "bad-signature",
            encode(_change(_resigned(good, cast.STRANGER), key=cast.EXCHANGE_KEY.kid)),
        ),
        *(
            (
                f"share of low order {n}",
                "refused",
                encode(_resigned(_change(good, share=Bytes32(u)), cast.EXCHANGE_KEY)),
            )
            for n, u in enumerate(low_order())
        ),
    ]


def _confirms() -> list[tuple[str, str, bytes]]:
    good = read_confirm(cast.run().pending.confirm)
    secrets = cast.run().replied.secrets
    device = unseal(secrets.prk, "device seal", secrets.th2, good.sealed, DeviceIdentity)
    stranger = Bytes64(cast.STRANGER.sign(device_statement(secrets.th2, device)))
    altered = type(good.sealed)(bytes([good.sealed[0] ^ 1]) + good.sealed[1:])
    small = _change(device, identity=Bytes32(b"\x01" + bytes(31)), signature=_FORGERY)
    return [
        ("tag of zeros", "refused", encode(_change(good, tag=Bytes64(64)))),
        ("altered sealed text", "refused", encode(_change(good, sealed=altered))),
        ("altered sealed text, right tag", "refused", encode(_confirm(good, altered))),
        ("empty sealed text, right tag", "refused", encode(_confirm(good, type(altered)()))),
        ("signature of a stranger", "refused", _introduced(_change(device, signature=stranger))),
        ("altered name", "refused", _introduced(_change(device, name="Bob's laptop"))),
        ("name with a control character", "refused", _introduced(_change(device, name="a\x1bb"))),
        ("identity key of small order", "refused", _introduced(small)),
        ("sealed text is not an identity", "refused", _introduced({"identity": "x"})),
    ]


def _completes() -> list[tuple[str, str, bytes]]:
    good = read_complete(cast.run().completed.body)
    secrets = cast.run().replied.secrets
    result = unseal(secrets.prk, "service seal", secrets.th2, good.sealed, Result)
    first, second = result.keys
    changed: list[tuple[str, Result]] = [
        ("another device", _change(result, device=cast.STRANGER.kid)),
        ("another owner", _change(result, sub=cast.identifier("bob"))),
        ("a key missing", _change(result, keys=(first,))),
        ("keys in another order", _change(result, keys=(second, first))),
        ("a key twice", _change(result, keys=(first, first))),
        ("another account", _first(result, account="bob@example.org")),
        ("another service", _first(result, service="calendar")),
        ("another service UID", _first(result, service_uid=second.service_uid)),
        ("another key id", _first(result, key_id=Bytes16(16))),
        *(
            (f"a book with {control!r}", _first(result, book=f"a{control}b"))
            for control in ("\n", "\b", "\x01")
        ),
    ]
    altered = type(good.sealed)(bytes([good.sealed[0] ^ 1]) + good.sealed[1:])
    return [
        ("tag of zeros", "refused", encode(_change(good, tag=Bytes64(64)))),
        ("altered sealed text", "refused", encode(_change(good, sealed=altered))),
        ("a confirm's tag", "refused", encode(_change(good, tag=cast.run().pending.tag))),
        *((name, "refused", _completed(other)) for name, other in changed),
        ("a book", "accepted", _completed(_first(result, book='\x7f\u2028 "\\'))),
    ]


# R the neutral element and S zero: verifies under a small-order key where nobody looks.
_FORGERY: Final = Bytes64(b"\x01" + bytes(63))


def _admitted(init: Init) -> Init:
    th1 = key_schedule.init_transcript(cast.CONTEXT, init)
    return _change(init, admission=Bytes64(key_schedule.admission_tag(cast.PRS, th1)))


def _resigned(reply: Reply, signer: SigningKey) -> Reply:
    th2 = key_schedule.reply_transcript(cast.run().replied.run, signer.kid, reply.share, reply.kem)
    signature = signer.sign(lv_cat("handfast/1 service signature", th2))
    return _change(reply, key=signer.kid, signature=Bytes64(signature))


def _confirm(confirm: Confirm, sealed: bytes) -> Confirm:
    secrets = cast.run().replied.secrets
    th3 = key_schedule.confirm_transcript(secrets.th2, sealed)
    tag = mac(labelled(secrets.prk, "device tag", secrets.th2, 64), th3)
    return _change(confirm, sealed=type(confirm.sealed)(sealed), tag=Bytes64(tag))


def _introduced(content: object) -> bytes:
    secrets = cast.run().replied.secrets
    sealed = seal(secrets.prk, "device seal", secrets.th2, content)
    return encode(_confirm(read_confirm(cast.run().pending.confirm), sealed))


def _completed(result: Result) -> bytes:
    secrets, claim = cast.run().replied.secrets, cast.run().claim
    sealed = seal(secrets.prk, "service seal", secrets.th2, result)
    th4 = key_schedule.complete_transcript(claim.th3, sealed)
    tag = mac(labelled(secrets.prk, "service tag", secrets.th2, 64), th4)
    return encode(Complete(v=1, sealed=sealed, tag=Bytes64(tag)))


def _first(result: Result, **change: Any) -> Result:
    return _change(result, keys=(_change(result.keys[0], **change), *result.keys[1:]))
