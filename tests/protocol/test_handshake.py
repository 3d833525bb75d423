"""Steps happen once, in order, and leave the same keys on both sides."""

import hashlib
import os
from dataclasses import replace

import pytest
from msgspec import UNSET, structs

from protocol.encoding import Bytes64, decode, encode
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.handshake import (
    TRANSITIONS,
    Complete,
    Context,
    Init,
    Initiator,
    Pending,
    Reply,
    RunSecrets,
    State,
    accept_confirm,
    check_admission,
    code_prs,
    complete,
    init_hash,
    problem,
    read_confirm,
    read_init,
    read_reply,
    respond,
)
from tests.vectors import cast


def fresh(context: Context = cast.CONTEXT, prs: bytes = cast.PRS) -> Initiator:
    keys = cast.KEY_SET.exchange_keys(cast.EXCHANGE)
    return Initiator(context, prs, exchange_keys=keys, entropy=os.urandom)


def answer(init: bytes, context: Context = cast.CONTEXT, prs: bytes = cast.PRS) -> bytes:
    replied = respond(
        context, prs, read_init(init), exchange_key=cast.EXCHANGE_KEY, entropy=os.urandom
    )
    return replied.reply


@pytest.mark.parametrize("bound", [None, cast.IDENTITY.kid])
def test_both_sides_end_with_the_same_keys(bound: str | None) -> None:
    context = replace(cast.CONTEXT, bound_jkt=bound)
    device = fresh(context)
    init = read_init(device.init())
    assert check_admission(cast.PRS, init_hash(context, init), init.admission)
    replied = respond(context, cast.PRS, init, exchange_key=cast.EXCHANGE_KEY, entropy=os.urandom)
    pending = cast.receive(device, replied.reply)
    secrets = RunSecrets.from_bytes(replied.secrets.to_bytes())
    claim = accept_confirm(secrets, read_confirm(pending.confirm))
    done = complete(secrets, claim, sub=cast.DOCUMENT.sub, grants=cast.NAMES)
    established = Pending.from_bytes(pending.to_bytes()).receive_complete(done.body)
    assert established.keys == done.keys
    assert claim.jkt == established.device == cast.IDENTITY.kid
    assert len({key.key for key in done.keys}) == 2


@pytest.mark.parametrize(
    "other",
    [
        replace(cast.CONTEXT, issuer="https://evil.example"),
        replace(cast.CONTEXT, activation="B" * 21 + "A"),
        replace(cast.CONTEXT, kind="code"),
        replace(cast.CONTEXT, bound_jkt=cast.STRANGER.kid),
    ],
)
def test_contexts_that_differ_never_confirm(other: Context) -> None:
    device = fresh()
    reply = answer(device.init(), other)
    with pytest.raises(VerificationError) as refusal:
        cast.receive(device, reply)
    assert refusal.value.reason is Reason.BAD_SIGNATURE


def test_another_password_never_confirms() -> None:
    device = fresh()
    init = read_init(device.init())
    replied = respond(
        cast.CONTEXT, bytes(64), init, exchange_key=cast.EXCHANGE_KEY, entropy=os.urandom
    )
    pending = cast.receive(device, replied.reply)
    with pytest.raises(RemoteProtocolError) as refusal:
        accept_confirm(replied.secrets, read_confirm(pending.confirm))
    assert refusal.value.code is ErrorCode.REFUSED


def test_an_init_is_made_once() -> None:
    device = fresh()
    device.init()
    with pytest.raises(LocalProtocolError):
        device.init()


def test_a_reply_before_the_init_ends_the_run() -> None:
    device = fresh()
    with pytest.raises(LocalProtocolError):
        cast.receive(device, cast.run().replied.reply)
    with pytest.raises(LocalProtocolError):
        device.init()


def test_a_second_reply_is_our_bug() -> None:
    device = fresh()
    reply = answer(device.init())
    cast.receive(device, reply)
    with pytest.raises(LocalProtocolError):
        cast.receive(device, reply)


def test_noise_does_not_end_a_run() -> None:
    device = fresh()
    reply = answer(device.init())
    forged = encode(structs.replace(read_reply(reply), signature=Bytes64(64)))
    for noise in (b"", b"{}", reply[:-1], forged, cast.run().replied.reply):
        with pytest.raises((RemoteProtocolError, VerificationError)):
            cast.receive(device, noise)
    assert cast.receive(device, reply).state is State.KEYED


def test_fresher_exchange_keys_can_be_given() -> None:
    device = fresh()
    keys, device.exchange_keys = device.exchange_keys, {}
    reply = answer(device.init())
    with pytest.raises(VerificationError) as refusal:
        cast.receive(device, reply)
    assert refusal.value.reason is Reason.UNKNOWN_KEY
    device.exchange_keys = keys
    assert cast.receive(device, reply).grants == cast.NAMES


def test_a_bad_complete_leaves_the_run_pending() -> None:
    pending = cast.run().pending
    with pytest.raises(RemoteProtocolError):
        pending.receive_complete(b"{}")
    assert pending.receive_complete(cast.run().completed.body).keys == cast.run().completed.keys


def test_a_typed_code_sends_no_admission() -> None:
    assert b"admission" not in fresh(replace(cast.CONTEXT, kind="code")).init()


def test_an_init_without_admission_is_not_admitted() -> None:
    init = structs.replace(read_init(fresh().init()), admission=UNSET)
    assert not check_admission(cast.PRS, init_hash(cast.CONTEXT, init), init.admission)


def test_a_typed_code_is_hashed_with_its_issuer() -> None:
    issuer = b"https://localhost:8443"
    fields = b"\x0fhandfast/1 code" + bytes([len(issuer)]) + issuer + b"\x07ABCDEFG"
    assert code_prs(issuer.decode(), "ABCDEFG") == hashlib.sha512(fields).digest()


def test_secrets_are_not_shown() -> None:
    played = cast.run()
    device = cast.offered()
    shown = "".join(
        repr(thing)
        for thing in (
            *(played.pending, played.replied, played.completed, played.established),
            *(cast.DOCUMENT, cast.EXCHANGE_KEY, device, device._offer),
        )
    )
    secrets = [played.pending.prk, cast.PRS, cast.EXCHANGE_KEY.seed()]
    secrets += [key.key for key in played.completed.keys]
    secrets += [grant.password for grant in cast.DOCUMENT.grants]
    for secret in secrets:
        assert secret.hex() not in shown
        assert repr(bytes(secret))[2:-1] not in shown


def test_a_damaged_pending_is_our_bug() -> None:
    with pytest.raises(LocalProtocolError):
        Pending.from_bytes(cast.run().pending.to_bytes()[:-1])
    with pytest.raises(LocalProtocolError):
        RunSecrets.from_bytes(bytes(127))


def test_the_table_is_the_protocol() -> None:
    assert dict(TRANSITIONS) == {
        (State.START, Init): State.OFFERED,
        (State.OFFERED, Reply): State.KEYED,
        (State.KEYED, Complete): State.ESTABLISHED,
    }


@pytest.mark.parametrize("code", list(ErrorCode))
def test_problem_bodies(code: ErrorCode) -> None:
    body = decode(problem(code), dict[str, str | int])
    assert body["type"] == f"urn:handfast:error:{code}"
    assert body["status"] == code.status
    assert body["code"] == code
