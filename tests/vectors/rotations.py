"""One rotation of the fixed run's first key, and what must be refused of it."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, Final

import msgspec

from protocol import key_schedule
from protocol.encoding import Bytes16, Bytes64, encode, lv_cat
from protocol.handshake import Context, GrantName, Initiator, rotation_prs
from protocol.key_schedule import expand, labelled, mac
from protocol.messages import Complete, Init, Result, read_complete, read_init
from protocol.sealing import seal, unseal
from tests.vectors import cast, runs

Json = dict[str, Any]
_change = msgspec.structs.replace

OLD: Final = cast.run().established.keys[0]
PRS: Final = rotation_prs(cast.ISSUER, OLD)
CONTEXT: Final = Context(
    cast.ISSUER, cast.identifier("rotation"), kind="rotation", bound_jkt=cast.IDENTITY.kid
)
GRANTS: Final = (
    GrantName(cast.identifier("grant rotation"), OLD.account, OLD.service, OLD.service_uid),
)
_DEVICE: Final = "rotating device"
_SCALAR: Final = cast.seed("service rotation")


def content() -> Json:
    """The old key, the run, the bodies to be refused."""
    return {
        "old": {
            "session_key": OLD.key.hex(),
            "key_id": OLD.key_id,
            "rotate": expand(OLD.key, lv_cat("handfast/1 rotate"), 64).hex(),
        },
        **runs.described(run(), device=_DEVICE, service_scalar=_SCALAR),
        "cases": cases(),
    }


def offered() -> Initiator:
    """A device that has not sent its init yet; always the same one."""
    keys = cast.KEY_SET.exchange_keys(cast.EXCHANGE)
    return Initiator(CONTEXT, PRS, exchange_keys=keys, entropy=_entropy())


@cache
def run() -> cast.Run:
    """Play the whole rotation."""
    return cast.play(offered(), PRS, GRANTS, scalar=_SCALAR)


def cases() -> list[Json]:
    """Every case: name, step (who receives what), body, expect."""
    steps = {"service receives init": _inits(), "device receives complete": _completes()}
    return [
        {"name": name, "step": step, "body": body.decode(), "expect": expect}
        for step, made in steps.items()
        for name, expect, body in made
    ]


def _entropy() -> Callable[[int], bytes]:
    """Nonce and scalar of its own; the KEM key for which the ciphertext was made."""
    return BytesIO(cast.seed(_DEVICE, 64) + cast.seed("device", 128)[64:]).read


def _inits() -> list[tuple[str, str, bytes]]:
    good = read_init(run().init)
    other_key = rotation_prs(cast.ISSUER, cast.run().established.keys[1])
    other_issuer = rotation_prs("https://localhost:9443", OLD)
    as_document = Context(cast.ISSUER, CONTEXT.activation, bound_jkt=cast.IDENTITY.kid)
    of_stranger = Context(cast.ISSUER, CONTEXT.activation, "rotation", cast.STRANGER.kid)
    return [
        ("init as it is", "accepted", run().init),
        ("no admission", "refused", encode(_change(good, admission=msgspec.UNSET))),
        ("admitted by the PRS of the document", "refused", _admitted(good, CONTEXT, cast.PRS)),
        ("admitted by another old key", "refused", _admitted(good, CONTEXT, other_key)),
        ("admitted for another issuer", "refused", _admitted(good, CONTEXT, other_issuer)),
        ("admitted as for a document", "refused", _admitted(good, as_document, PRS)),
        ("admitted for another device", "refused", _admitted(good, of_stranger, PRS)),
    ]


def _completes() -> list[tuple[str, str, bytes]]:
    result = _result()
    one = result.keys[0]
    changed = [
        ("another owner", _change(result, sub=cast.identifier("bob"))),
        ("another device", _change(result, device=cast.STRANGER.kid)),
        ("another account", _one(account="bob@example.org")),
        ("another service", _one(service="contacts")),
        ("another service UID", _one(service_uid=cast.NAMES[1].service_uid)),
        ("the grant of the document", _one(grant=OLD.grant)),
        ("the id of the old key", _one(key_id=Bytes16(OLD.raw_key_id))),
        ("a key more", _change(result, keys=(one, one))),
    ]
    return [
        ("complete as it is", "accepted", run().completed.body),
        *((name, "refused", _completed(other)) for name, other in changed),
    ]


def _admitted(init: Init, context: Context, prs: bytes) -> bytes:
    tag = key_schedule.admission_tag(prs, key_schedule.init_transcript(context, init))
    return encode(_change(init, admission=Bytes64(tag)))


def _result() -> Result:
    secrets = run().replied.secrets
    sealed = read_complete(run().completed.body).sealed
    return unseal(secrets.prk, "service seal", secrets.th2, sealed, Result)


def _one(**change: Any) -> Result:
    result = _result()
    return _change(result, keys=(_change(result.keys[0], **change),))


def _completed(result: Result) -> bytes:
    secrets = run().replied.secrets
    sealed = seal(secrets.prk, "service seal", secrets.th2, result)
    th4 = key_schedule.complete_transcript(run().claim.th3, sealed)
    tag = mac(labelled(secrets.prk, "service tag", secrets.th2, 64), th4)
    return encode(Complete(v=1, sealed=sealed, tag=Bytes64(tag)))
