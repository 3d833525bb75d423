"""A device says that everything is removed; the exchange says that this is noted; 18.1."""

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from protocol.encoding import encode
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.removal import check_noted, check_removed, read_removed, removed_of
from protocol.trust import verify_key_set
from tests.protocol.test_second_reading import b64u, compact, lv_cat
from tests.protocol.test_vectors import Case, load, named, outcome
from tests.vectors import cast, removals

REMOVAL = load("handfast-removal.json")


def receives_removed(body: bytes) -> None:
    said = read_removed(body)
    if said.key != removals.NOTICE.key:
        raise RemoteProtocolError(ErrorCode.REFUSED)
    check_removed(said, cast.ISSUER, cast.IDENTITY.verify_key)


def receives_noted(body: bytes) -> None:
    key_set = verify_key_set(REMOVAL["key_set"].encode(), cast.BUNDLE, now=REMOVAL["now"])
    check_noted(body, removals.SAID, key_set, REMOVAL["exchange"])


STEPS: dict[str, Any] = {
    "service receives removed": receives_removed,
    "device receives noted": receives_noted,
}


@pytest.mark.parametrize("case", named(REMOVAL["cases"]))
def test_step(case: Case) -> None:
    body = case["body"].encode()
    assert outcome(lambda: STEPS[case["step"]](body)) == case["expect"]


def test_both_messages_from_the_specification_alone() -> None:
    key, at = removals.NOTICE.key, REMOVAL["now"].to_bytes(8, "big")
    identity = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(REMOVAL["identity_seed"]))
    exchange = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(REMOVAL["exchange_key_seed"]))

    def thumbprint(signer: Ed25519PrivateKey) -> str:
        x = b64u(signer.public_key().public_bytes_raw())
        return b64u(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())

    device = thumbprint(identity)
    fields = (cast.ISSUER, device, key, at)
    said = {
        "v": 1,
        "device": device,
        "key": key,
        "at": REMOVAL["now"],
        "signature": b64u(identity.sign(lv_cat("handfast/1 removed", *fields))),
    }
    assert compact(said) == REMOVAL["removed"]
    noted = {
        "v": 1,
        "key": thumbprint(exchange),
        "signature": b64u(exchange.sign(lv_cat("handfast/1 removal noted", *fields))),
    }
    assert compact(noted) == REMOVAL["noted"]


@given(st.integers(0, 2**53 - 1))
def test_a_statement_is_read_back(at: int) -> None:
    body = removed_of(cast.ISSUER, removals.NOTICE.key, at, cast.IDENTITY)
    said = read_removed(body)
    assert encode(said) == body
    check_removed(said, cast.ISSUER, cast.IDENTITY.verify_key)


@given(st.binary(max_size=200))
def test_anything_is_a_statement_or_refused(body: bytes) -> None:
    try:
        assert encode(read_removed(body)) == body
    except RemoteProtocolError:
        return
