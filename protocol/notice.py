"""Notices: a key has ended, signed by the exchange that ended it; docs/protocol.md 18."""

from typing import Final, Literal

import msgspec

from protocol.activation import AUDIENCE
from protocol.encoding import PublicId, Whole, encode
from protocol.errors import LocalProtocolError, Reason, VerificationError
from protocol.signing import SigningKey, decode_payload, sign_jws, verify_jws
from protocol.trust import SKEW, KeySet

TYP: Final = "handfast-notice+jwt"

# `remove`: revoked, and this device is to remove everything of the key's owner.
State = Literal["revoked", "retired", "remove"]


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Says of one key that it is over; `iat` is in whole seconds."""

    iss: str
    aud: str = AUDIENCE
    iat: Whole
    key: PublicId
    state: State


def sign_notice(notice: Notice, key: SigningKey) -> bytes:
    """Sign with an exchange key; LocalProtocolError if no device would accept it."""
    payload = encode(notice)
    try:
        _check(decode_payload(payload, Notice), notice.iss)
    except VerificationError as error:
        raise LocalProtocolError(f"not fit to be signed: {error}") from error
    return sign_jws(payload, key, TYP)


def open_notice(untrusted: bytes, key_set: KeySet, exchange: str, *, now: int) -> Notice:
    """Return the notice if a key of `exchange` signed it, else raise VerificationError.

    It has no end: a key that is over never comes back, so an old notice does no harm. The
    caller looks whether `key` is the key that it asked for.
    """
    payload, _ = verify_jws(untrusted, key_set.exchange_keys(exchange), TYP)
    notice = decode_payload(payload, Notice)
    _check(notice, key_set.iss)
    if not key_set.iat - SKEW <= now < key_set.exp + SKEW:
        raise VerificationError(Reason.STALE_KEY_SET)
    if notice.iat > now + SKEW:
        raise VerificationError(Reason.NOT_YET_VALID)
    return notice


def _check(notice: Notice, issuer: str) -> None:
    if notice.iss != issuer:
        raise VerificationError(Reason.WRONG_ISSUER)
    if notice.aud != AUDIENCE:
        raise VerificationError(Reason.WRONG_AUDIENCE)
