"""The answer to a notice that has everything removed, and its acknowledgement; protocol.md 18.1."""

from typing import Final, Literal

import msgspec

from protocol.encoding import Bytes64, KeyId, PublicId, Whole, decode, encode, lv_cat
from protocol.errors import ErrorCode, Reason, RemoteProtocolError, VerificationError
from protocol.notice import Notice
from protocol.signing import SigningKey, VerifyKey
from protocol.trust import KeySet

PATH: Final = "/removed"


class Removed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Device to service: what the notice about `key` of the time `at` asked for is done."""

    v: Literal[1]
    device: KeyId
    key: PublicId
    at: Whole
    signature: Bytes64


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Service to device: that is noted, and need not be said again."""

    v: Literal[1]
    key: KeyId
    signature: Bytes64


def removed(notice: Notice, identity: SigningKey) -> bytes:
    """Write the statement that answers a notice; the same bytes every time."""
    return removed_of(notice.iss, notice.key, notice.iat, identity)


def removed_of(issuer: str, key: str, at: int, identity: SigningKey) -> bytes:
    """The same from what a device keeps of the notice."""
    statement = _statement("handfast/1 removed", issuer, identity.kid, key, at)
    signature = Bytes64(identity.sign(statement))
    return encode(Removed(v=1, device=identity.kid, key=key, at=at, signature=signature))


def read_removed(untrusted: bytes) -> Removed:
    """Decode a statement, or raise RemoteProtocolError; who made it is still a claim."""
    return decode(untrusted, Removed)


def check_removed(said: Removed, issuer: str, identity: VerifyKey) -> None:
    """Raise RemoteProtocolError(REFUSED) unless the device with this identity said so."""
    if identity.kid != said.device:
        raise RemoteProtocolError(ErrorCode.REFUSED, "another device")
    try:
        identity.verify(said.signature, _said("handfast/1 removed", issuer, said))
    except VerificationError as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the signature is wrong") from error


def noted(said: Removed, issuer: str, exchange_key: SigningKey) -> bytes:
    """Write the acknowledgement."""
    signature = exchange_key.sign(_said("handfast/1 removal noted", issuer, said))
    return encode(Noted(v=1, key=exchange_key.kid, signature=Bytes64(signature)))


def check_noted(untrusted: bytes, said: Removed, key_set: KeySet, exchange: str) -> None:
    """Raise RemoteProtocolError or VerificationError unless the exchange acknowledged `said`."""
    answer = decode(untrusted, Noted)
    key = key_set.exchange_keys(exchange).get(answer.key)
    if key is None:
        raise VerificationError(Reason.UNKNOWN_KEY, f"no exchange key {answer.key}")
    key.verify(answer.signature, _said("handfast/1 removal noted", key_set.iss, said))


def _said(label: str, issuer: str, said: Removed) -> bytes:
    return _statement(label, issuer, said.device, said.key, said.at)


def _statement(label: str, issuer: str, device: str, key: str, at: int) -> bytes:
    return lv_cat(label, issuer, device, key, at.to_bytes(8, "big"))
