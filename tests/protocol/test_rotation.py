"""A new key out of the old one: the same messages, bound to the device, exactly one grant."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.handshake import (
    Context,
    GrantName,
    Pending,
    SessionKey,
    check_admission,
    init_hash,
    read_init,
    rotation_prs,
)
from protocol.key_schedule import expand
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import cast, rotations

ROTATION = load("handfast-rotation.json")
OLD = SessionKey("", "", "", "", bytes.fromhex(ROTATION["old"]["session_key"]))


def test_published_values() -> None:
    played = rotations.run()
    assert OLD.key_id == ROTATION["old"]["key_id"]
    assert expand(OLD.key, b"\x11handfast/1 rotate", 64).hex() == ROTATION["old"]["rotate"]
    assert rotation_prs(cast.ISSUER, OLD).hex() == ROTATION["given"]["prs"]
    assert played.init.decode() == ROTATION["init"]
    assert played.replied.reply.decode() == ROTATION["reply"]
    assert played.pending.confirm.decode() == ROTATION["confirm"]
    assert played.completed.body.decode() == ROTATION["complete"]
    assert [key.key.hex() for key in played.established.keys] == [
        key["session_key"] for key in ROTATION["keys"]
    ]


def test_it_leaves_one_new_key_for_the_same_service() -> None:
    (new,) = rotations.run().established.keys
    old = rotations.OLD
    assert replace(new, grant=old.grant, key=old.key) == old
    assert new.key != old.key
    assert new.key_id != old.key_id


def receives_init(body: bytes) -> None:
    init = read_init(body)
    th1 = init_hash(rotations.CONTEXT, init)
    if not check_admission(rotations.PRS, th1, init.admission):
        raise RemoteProtocolError(ErrorCode.REFUSED)


STEPS: dict[str, Any] = {
    "service receives init": receives_init,
    "device receives complete": rotations.run().pending.receive_complete,
}


@pytest.mark.parametrize("case", named(ROTATION["cases"]))
def test_step(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: STEPS[case["step"]](body)) == case["expect"]


def test_a_pending_rotation_survives_the_store() -> None:
    stored = Pending.from_bytes(rotations.run().pending.to_bytes())
    assert stored.kind == "rotation"
    assert stored.receive_complete(rotations.run().completed.body) == rotations.run().established


def test_the_password_names_issuer_and_key() -> None:
    issuer, key_id = cast.ISSUER.encode(), rotations.OLD.key_id.encode()
    secret = bytes.fromhex(ROTATION["old"]["rotate"])
    text = b"".join(
        bytes([len(field)]) + field for field in (b"handfast/1 rotation", issuer, key_id, secret)
    )
    assert rotation_prs(cast.ISSUER, rotations.OLD) == hashlib.sha512(text).digest()
    others = [
        rotation_prs("https://evil.example", rotations.OLD),
        rotation_prs(cast.ISSUER, cast.run().established.keys[1]),
        rotation_prs(cast.ISSUER, replace(rotations.OLD, key=bytes(32))),
    ]
    assert rotations.PRS not in others


def test_a_rotation_without_its_device_is_our_bug() -> None:
    with pytest.raises(LocalProtocolError):
        Context(cast.ISSUER, rotations.CONTEXT.activation, kind="rotation")


@pytest.mark.parametrize("grants", [(), rotations.GRANTS * 2, cast.NAMES])
def test_a_rotation_of_more_or_less_than_one_key_is_our_bug(grants: tuple[GrantName, ...]) -> None:
    device = rotations.offered()
    device.init()
    with pytest.raises(LocalProtocolError):
        device.receive_reply(
            rotations.run().replied.reply,
            identity=cast.IDENTITY,
            device=cast.DEVICE,
            grants=grants,
            sub=cast.DOCUMENT.sub,
        )
