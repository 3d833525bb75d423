"""What a device trusts: a bundle of root keys, and the key sets those roots sign."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

from protocol.crockford import encode_bits
from protocol.encoding import Bytes32, KeyId, Whole, decode, encode, lv_cat
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.origin import is_exchange_url as is_exchange_url
from protocol.origin import is_issuer as is_issuer
from protocol.signing import SigningKey, VerifyKey, sign_jws, verify_jws

TYP: Final = "handfast-keys+jwt"
MAX_LIFETIME: Final = 90 * 24 * 3600
SKEW: Final = 60


@dataclass(frozen=True, slots=True)
class TrustBundle:
    """An issuer and its one or two root keys."""

    issuer: str
    roots: tuple[VerifyKey, ...]

    @property
    def fingerprint(self) -> str:
        """160 bits over issuer and roots as eight groups of four symbols, to be compared."""
        data = lv_cat("handfast/1 trust", self.issuer, *(root.x for root in self.roots))
        text = encode_bits(int.from_bytes(hashlib.sha512(data).digest()[:20], "big"), 160)
        return " ".join(text[start : start + 4] for start in range(0, len(text), 4))

    def to_json(self) -> bytes:
        """The bundle as served at /.well-known/handfast-trust."""
        return encode(_WireBundle(self.issuer, tuple(Bytes32(root.x) for root in self.roots)))

    @classmethod
    def from_json(cls, untrusted: bytes) -> "TrustBundle":
        """Decode, or raise RemoteProtocolError."""
        wire = decode(untrusted, _WireBundle)
        roots = tuple(_usable(x) for x in wire.roots)
        if not is_issuer(wire.issuer) or len(set(roots)) != len(roots):
            raise RemoteProtocolError(ErrorCode.MALFORMED, "not a trust bundle")
        return cls(wire.issuer, roots)


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A published Ed25519 public key; the kid is the thumbprint of x."""

    kid: str
    x: bytes


@dataclass(frozen=True, slots=True)
class ExchangeEntry:
    """A key exchange service and the keys its replies may be signed with."""

    url: str
    keys: tuple[KeyEntry, ...]


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that sign documents and replies for one issuer, now and next."""

    iss: str
    version: int
    iat: int
    exp: int
    documents: tuple[KeyEntry, ...]
    exchanges: tuple[ExchangeEntry, ...]

    def document_keys(self) -> dict[str, VerifyKey]:
        """The keys that may sign activation documents, by kid."""
        return {entry.kid: VerifyKey(entry.x) for entry in self.documents}

    def exchange_keys(self, url: str) -> dict[str, VerifyKey]:
        """The keys that may sign replies of the exchange at `url`; none for an unknown one."""
        return {
            entry.kid: VerifyKey(entry.x)
            for exchange in self.exchanges
            if exchange.url == url
            for entry in exchange.keys
        }


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """An issuer the person trusts, with its verified key set."""

    issuer: str
    key_set: KeySet


def sign_key_set(key_set: KeySet, root: SigningKey) -> bytes:
    """Sign a key set with a root key; LocalProtocolError if no device would accept it."""
    payload = encode(_to_wire(key_set))
    try:
        _from_payload(payload)
    except VerificationError as error:
        raise LocalProtocolError(f"not fit to be signed: {error}") from error
    return sign_jws(payload, root, TYP)


def verify_key_set(
    untrusted: bytes, bundle: TrustBundle, *, now: int, minimum_version: int = 0
) -> KeySet:
    """Return the key set if a root of `bundle` signed it and it is valid now; else raise."""
    payload, _ = verify_jws(untrusted, {root.kid: root for root in bundle.roots}, TYP)
    key_set = _from_payload(payload)
    if key_set.iss != bundle.issuer:
        raise VerificationError(Reason.WRONG_ISSUER)
    if key_set.iat > now + SKEW:
        raise VerificationError(Reason.NOT_YET_VALID)
    if key_set.exp <= now - SKEW:
        raise VerificationError(Reason.EXPIRED)
    if key_set.version < minimum_version:
        raise VerificationError(Reason.STALE_KEY_SET, "older than the key set known here")
    return key_set


class _WireBundle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    issuer: str
    roots: Annotated[tuple[Bytes32, ...], msgspec.Meta(min_length=1, max_length=2)]


class _WireKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kid: KeyId
    x: Bytes32


_Keys = Annotated[tuple[_WireKey, ...], msgspec.Meta(min_length=1, max_length=16)]


class _WireExchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    keys: _Keys


class _WireKeySet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: str
    version: Whole
    iat: Whole
    exp: Whole
    documents: _Keys
    exchanges: Annotated[tuple[_WireExchange, ...], msgspec.Meta(min_length=1, max_length=16)]


def _to_wire(key_set: KeySet) -> _WireKeySet:
    return _WireKeySet(
        iss=key_set.iss,
        version=key_set.version,
        iat=key_set.iat,
        exp=key_set.exp,
        documents=_wire_keys(key_set.documents),
        exchanges=tuple(_WireExchange(one.url, _wire_keys(one.keys)) for one in key_set.exchanges),
    )


def _from_payload(payload: bytes) -> KeySet:
    try:
        wire = decode(payload, _WireKeySet)
        key_set = KeySet(
            iss=wire.iss,
            version=wire.version,
            iat=wire.iat,
            exp=wire.exp,
            documents=_entries(wire.documents),
            exchanges=tuple(ExchangeEntry(one.url, _entries(one.keys)) for one in wire.exchanges),
        )
        _check_consistent(key_set)
    except RemoteProtocolError as error:
        raise VerificationError(Reason.PAYLOAD, str(error)) from error
    return key_set


def _check_consistent(key_set: KeySet) -> None:
    urls = [exchange.url for exchange in key_set.exchanges]
    kids = [entry.kid for entry in key_set.documents]
    kids += [entry.kid for exchange in key_set.exchanges for entry in exchange.keys]
    if len(set(urls)) != len(urls) or not all(is_exchange_url(url) for url in urls):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "exchange URLs")
    # One key, one purpose: a document key that also signs replies would join two thefts in one.
    if len(set(kids)) != len(kids):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "a key is listed twice")
    if not 0 < key_set.exp - key_set.iat <= MAX_LIFETIME:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "lifetime")


def _wire_keys(entries: Iterable[KeyEntry]) -> tuple[_WireKey, ...]:
    return tuple(_WireKey(entry.kid, Bytes32(entry.x)) for entry in entries)


def _entries(wire: Iterable[_WireKey]) -> tuple[KeyEntry, ...]:
    for entry in wire:
        if _usable(entry.x).kid != entry.kid:
            raise RemoteProtocolError(ErrorCode.MALFORMED, "kid is not the key's thumbprint")
    return tuple(KeyEntry(entry.kid, bytes(entry.x)) for entry in wire)


def _usable(x: bytes) -> VerifyKey:
    try:
        return VerifyKey(x).checked()
    except VerificationError as error:
        raise RemoteProtocolError(ErrorCode.MALFORMED, str(error)) from error
