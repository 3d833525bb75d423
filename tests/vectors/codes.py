"""Typed codes: how they are read, one whole run with one, and what must be refused of it."""

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any, Final

import msgspec

from protocol import key_schedule
from protocol.codes import Code, check_symbol, read_code
from protocol.encoding import Bytes16, Bytes64, encode
from protocol.handshake import Context, GrantName, Initiator, code_prs
from protocol.key_schedule import labelled, mac
from protocol.messages import Complete, Init, KeyName, Result, read_complete, read_init
from protocol.sealing import seal, unseal
from protocol.session import session_keys
from tests.vectors import cast, runs

Json = dict[str, Any]
_change = msgspec.structs.replace

CODE: Final = Code("7K3M", "0Q9XW1V")
PRS: Final = code_prs(cast.ISSUER, CODE.secret)
CONTEXT: Final = Context(cast.ISSUER, CODE.handle, kind="code")
_DEVICE: Final = "device with a code"
_SCALAR: Final = cast.seed("service with a code")


def content() -> Json:
    """Spellings, check symbols, the run, the bodies to be refused."""
    return {
        "check": [
            {"symbols": symbols, "check": check_symbol(symbols)}
            for symbols in ("00000000000", "00000000001", "10000000000", "ZZZZZZZZZZZ")
        ],
        "read": [{"typed": typed, **_read(typed)} for typed in _spellings()],
        "refused": _refused(),
        **runs.described(run(), device=_DEVICE, service_scalar=_SCALAR),
        "cases": cases(),
    }


def offered() -> Initiator:
    """A device that has not sent its init yet; always the same one."""
    keys = cast.KEY_SET.exchange_keys(cast.EXCHANGE)
    return Initiator(CONTEXT, PRS, exchange_keys=keys, entropy=_entropy())


@cache
def run() -> cast.Run:
    """Play the whole run."""
    return cast.play(offered(), PRS, cast.NAMES, scalar=_SCALAR)


def cases() -> list[Json]:
    """Every case: name, step (who receives what), body, expect."""
    steps = {"service receives init": _inits(), "device receives complete": _completes()}
    return [
        {"name": name, "step": step, "body": body.decode(), "expect": expect}
        for step, made in steps.items()
        for name, expect, body in made
    ]


def _spellings() -> list[str]:
    text = CODE.text
    return [
        text,
        text.lower(),
        text.replace("-", ""),
        text.replace("-", " \N{EN DASH} "),
        f"\t{text}\n",
        text.replace("0", "o").replace("1", "l"),
        text.replace("0", "O").replace("1", "i"),
        " ".join(text),
    ]


def _read(typed: str) -> Json:
    code = read_code(typed)
    return {"handle": code.handle, "secret": code.secret}


def _refused() -> list[Json]:
    text = CODE.text
    wrong_check = text[:-1] + ("0" if text[-1] != "0" else "2")
    cases = [
        ("length", None, ""),
        ("length", None, text[:-1]),
        ("length", None, text + "0"),
        ("symbol", 1, "U" + text[1:]),
        ("symbol", 2, text[:7] + "*" + text[8:]),
        ("symbol", 3, text[:-1] + "\N{LATIN SMALL LETTER DOTLESS I}"),
        ("check", None, wrong_check),
        ("check", None, text[1] + text[0] + text[2:]),
        ("check", None, text[:3] + text[5] + "-" + text[3] + text[6:]),
    ]
    return [{"typed": typed, "why": why, "group": group} for why, group, typed in cases]


def _entropy() -> Callable[[int], bytes]:
    """Nonce and scalar of its own; the KEM key for which the ciphertext was made."""
    return BytesIO(cast.seed(_DEVICE, 64) + cast.seed("device", 128)[64:]).read


def _inits() -> list[tuple[str, str, bytes]]:
    good = read_init(run().init)
    return [
        ("init as it is", "accepted", run().init),
        ("with the admission of the code", "refused", _admitted(good, PRS)),
        ("with another admission", "refused", encode(_change(good, admission=Bytes64(bytes(64))))),
        ("another handle", "refused", encode(_change(good, activation="7K3N"))),
        ("the handle in lower case", "malformed", _named("7k3m")),
        ("the handle with O for 0", "malformed", _named("7K3O")),
        ("the handle and a secret symbol", "malformed", _named("7K3M0")),
    ]


def _named(activation: str) -> bytes:
    return run().init.replace(CODE.handle.encode(), activation.encode(), 1)


def _completes() -> list[tuple[str, str, bytes]]:
    result = _result()
    first, second = result.keys
    changed = [
        ("another device", _change(result, device=cast.STRANGER.kid)),
        ("the key id of another key", _changed(key_id=Bytes16(bytes(16)))),
        ("a grant twice", _change(result, keys=(first, first))),
        ("two grants of one account and service", _like_second(service="contacts")),
        ("two grants of one service UID", _like_second(service_uid=second.service_uid)),
        ("two grants of one id", _like_second(grant=second.grant)),
        ("a service UID without its check symbol", _changed(service_uid=first.service_uid[:-1])),
    ]
    return [
        ("complete as it is", "accepted", run().completed.body),
        *((name, "refused", _completed(other)) for name, other in changed),
    ]


def _admitted(init: Init, prs: bytes) -> bytes:
    tag = key_schedule.admission_tag(prs, key_schedule.init_transcript(CONTEXT, init))
    return encode(_change(init, admission=Bytes64(tag)))


def _result() -> Result:
    secrets = run().replied.secrets
    sealed = read_complete(run().completed.body).sealed
    return unseal(secrets.prk, "service seal", secrets.th2, sealed, Result)


def _changed(**change: Any) -> Result:
    result = _result()
    return _change(result, keys=(_change(result.keys[0], **change), result.keys[1]))


def _like_second(**change: Any) -> Result:
    """The first key takes something from the second one, and has the key id that follows."""
    result = _result()
    first = _change(result.keys[0], **change)
    return _change(result, keys=(_with_right_id(first), result.keys[1]))


def _with_right_id(name: KeyName) -> KeyName:
    grant = GrantName(name.grant, name.account, name.service, name.service_uid)
    (key,) = session_keys(run().pending.prk, run().pending.th3, [grant])
    return _change(name, key_id=Bytes16(key.raw_key_id))


def _completed(result: Result) -> bytes:
    secrets = run().replied.secrets
    sealed = seal(secrets.prk, "service seal", secrets.th2, result)
    th4 = key_schedule.complete_transcript(run().claim.th3, sealed)
    tag = mac(labelled(secrets.prk, "service tag", secrets.th2, 64), th4)
    return encode(Complete(v=1, sealed=sealed, tag=Bytes64(tag)))
