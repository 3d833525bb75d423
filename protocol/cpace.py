"""CPACE-X25519-SHA512, maths only, in constant-time C: draft-irtf-cfrg-cpace-21 section 7.

The generator is Elligator2 onto Curve25519. The library has that map for edwards25519 with the
cofactor 8 multiplied in; X25519 clamps its scalars to multiples of 8, so dividing the scalar
by 8 gives the same shares. `self_test` proves that against the draft's numbers.
"""

import hashlib
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from protocol.encoding import lv_cat
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError

_DSI: Final = b"CPace255"
_DSI_ISK: Final = b"CPace255_ISK"
_HASH_BLOCK: Final = 128


def generator_string(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """Draft section 6.1: the password in a hash block of its own, then channel and session."""
    padding = max(0, _HASH_BLOCK - 1 - len(lv_cat(prs)) - len(lv_cat(_DSI)))
    return lv_cat(_DSI, prs, bytes(padding), ci, sid)


def calculate_generator(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """The generator times 8, as a compressed point of edwards25519."""
    field_element = hashlib.sha512(generator_string(prs, ci, sid)).digest()[:32]
    return bindings.crypto_core_ed25519_from_uniform(field_element)


def share(scalar: bytes, generator: bytes) -> bytes:
    """X25519 of `scalar` (32 fresh bytes) and the generator: Ya or Yb."""
    clamped = int.from_bytes(scalar, "little") & ((1 << 254) - 8) | (1 << 254)
    divided = (clamped >> 3).to_bytes(32, "little")
    point = bindings.crypto_scalarmult_ed25519_noclamp(divided, generator)
    return bindings.crypto_sign_ed25519_pk_to_curve25519(point)


def agree(scalar: bytes, untrusted_share: bytes) -> bytes:
    """K of the draft; a share of low order ends the run (scalar_mult_vfy)."""
    try:
        return bindings.crypto_scalarmult(scalar, untrusted_share)
    except CryptoError as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, "share of low order") from error


def intermediate_key(
    sid: bytes, k: bytes, initiator: tuple[bytes, bytes], responder: tuple[bytes, bytes]
) -> bytes:
    """ISK (64 bytes) for (Ya, ADa) and (Yb, ADb) in initiator-responder order."""
    transcript = lv_cat(*initiator) + lv_cat(*responder)
    return hashlib.sha512(lv_cat(_DSI_ISK, sid, k) + transcript).digest()


def self_test() -> None:
    """Raise LocalProtocolError unless this installation gives the draft's numbers (B.1)."""
    prs, ci = b"Password", b"\x0bA_initiator\x0bB_responder"
    sid = bytes.fromhex("7e4b4791d6a8ef019b936c79fb7f2c57")
    ya = bytes.fromhex("21b4f4bd9e64ed355c3eb676a28ebedaf6d8f17bdc365995b319097153044080")
    yb = bytes.fromhex("848b0779ff415f0af4ea14df9dd1d3c29ac41d836c7808896c4eba19c51ac40a")
    expected = bytes.fromhex(
        "6e19b875f7a561d6b3ca3dbb9ef42ac55de3e717881018204b8922b4d5e53bb2"
        "aa82c300bea7b65d2b671da71922ddf6472301b79bc270adfa8bf413285f2263"
    )
    generator = calculate_generator(prs, ci, sid)
    share_a, share_b = share(ya, generator), share(yb, generator)
    for k in (agree(ya, share_b), agree(yb, share_a)):
        if intermediate_key(sid, k, (share_a, b"ADa"), (share_b, b"ADb")) != expected:
            raise LocalProtocolError("CPace does not give the draft's numbers here")
