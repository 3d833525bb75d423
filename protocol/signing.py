"""Ed25519 keys and compact JWS: verification raises, or returns what was verified.

The JWS library signs. It is imported there: a device only verifies, and is started for each
document (docs/decisions/0004-a-device-verifies-without-the-jws-library.md).
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Self, TypeVar

import msgspec
from nacl import bindings
from nacl.exceptions import CryptoError

from protocol.encoding import MAX_BYTES, KeyId, b64u, decode, unb64u
from protocol.errors import (
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)

if TYPE_CHECKING:
    from joserfc.jwk import OKPKey

T = TypeVar("T")

_ALGORITHM: Final = "Ed25519"


class VerifyKey:
    """An Ed25519 public key, named by its RFC 7638 thumbprint."""

    __slots__ = ("kid", "x")

    def __init__(self, x: bytes) -> None:
        if len(x) != 32:
            raise LocalProtocolError("an Ed25519 public key has 32 bytes")
        self.x: Final = bytes(x)
        self.kid: Final = thumbprint(self.x)

    def __repr__(self) -> str:
        return f"VerifyKey({self.kid})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyKey) and other.x == self.x

    def __hash__(self) -> int:
        return hash(self.x)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raise VerificationError unless the signature is right; small-order keys never are."""
        try:
            bindings.crypto_sign_open(signature + message, self.x)
        except (CryptoError, ValueError) as error:
            raise VerificationError(Reason.BAD_SIGNATURE) from error

    def checked(self) -> Self:
        """Return the key if it is a canonical point of the prime-order group, else raise."""
        if not bindings.crypto_core_ed25519_is_valid_point(self.x):
            raise VerificationError(Reason.PAYLOAD, "not a usable Ed25519 public key")
        return self


class SigningKey:
    """An Ed25519 private key; its repr shows the key id only."""

    __slots__ = ("_jwk", "_secret", "_seed", "public", "verify_key")

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise LocalProtocolError("an Ed25519 seed has 32 bytes")
        self._seed: Final = bytes(seed)
        self.public, self._secret = bindings.crypto_sign_seed_keypair(self._seed)
        self.verify_key: Final = VerifyKey(self.public)
        self._jwk: OKPKey | None = None

    @classmethod
    def generate(cls, *, entropy: Callable[[int], bytes]) -> Self:
        """Make a new key from 32 bytes of `entropy`."""
        return cls(entropy(32))

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Load a key from its 32-byte seed."""
        return cls(seed)

    def __repr__(self) -> str:
        return f"SigningKey({self.kid})"

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return self.verify_key.kid

    def seed(self) -> bytes:
        """The 32 secret bytes, for sealing."""
        return self._seed

    def jwk(self) -> "OKPKey":
        """The private key as the JWS library wants it, made on first use."""
        from joserfc.jwk import OKPKey

        if self._jwk is None:
            self._jwk = OKPKey.import_key(
                {"kty": "OKP", "crv": "Ed25519", "x": b64u(self.public), "d": b64u(self._seed)}
            )
        return self._jwk

    def sign(self, message: bytes) -> bytes:
        """Sign; 64 bytes."""
        return bindings.crypto_sign(message, self._secret)[:64]


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: Literal["Ed25519"]
    kid: KeyId
    typ: str


def thumbprint(x: bytes) -> str:
    """The RFC 7638 SHA-256 thumbprint of an Ed25519 public key, as base64url."""
    jwk = f'{{"crv":"Ed25519","kty":"OKP","x":"{b64u(x)}"}}'
    return b64u(hashlib.sha256(jwk.encode()).digest())


def sign_jws(payload: bytes, key: SigningKey, typ: str) -> bytes:
    """Sign `payload` as a compact JWS with exactly the header {alg, kid, typ}."""
    from joserfc import jws

    header = {"alg": _ALGORITHM, "kid": key.kid, "typ": typ}
    return jws.serialize_compact(header, payload, key.jwk(), algorithms=[_ALGORITHM]).encode()


def verify_jws(untrusted: bytes, keys: Mapping[str, VerifyKey], typ: str) -> tuple[bytes, str]:
    """Return (payload, kid) of a compact JWS signed by one of `keys`, or raise.

    Order: size, three canonical ASCII parts, strict header, known key, signature.
    """
    if len(untrusted) > MAX_BYTES:
        raise VerificationError(Reason.TOO_LARGE)
    header, payload, signature = _canonical_parts(untrusted)
    kid = _read_header(header, typ)
    key = keys.get(kid)
    if key is None:
        raise VerificationError(Reason.UNKNOWN_KEY, f"no trusted key {kid}")
    key.verify(signature, untrusted.rpartition(b".")[0])
    return payload, kid


def unverified_payload(untrusted: bytes) -> bytes:
    """The payload of a compact JWS whose signature was checked earlier, or at least not now."""
    return _canonical_parts(untrusted)[1]


def decode_payload(payload: bytes, as_type: type[T]) -> T:
    """Decode what `verify_jws` returned, or raise VerificationError(PAYLOAD)."""
    try:
        return decode(payload, as_type)
    except RemoteProtocolError as error:
        raise VerificationError(Reason.PAYLOAD, str(error)) from error


def _canonical_parts(untrusted: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, payload and signature of three canonical base64url parts, decoded."""
    try:
        parts = untrusted.decode("ascii").split(".")
        header, payload, signature = (unb64u(part) for part in parts)
    except (UnicodeDecodeError, RemoteProtocolError, ValueError) as error:
        raise VerificationError(Reason.NOT_A_DOCUMENT) from error
    if not header or not payload or len(signature) != 64:
        raise VerificationError(Reason.NOT_A_DOCUMENT)
    return header, payload, signature


def _read_header(untrusted: bytes, typ: str) -> str:
    try:
        header = decode(untrusted, _Header)
    except RemoteProtocolError as error:
        raise VerificationError(Reason.HEADER, str(error)) from error
    if header.typ != typ:
        raise VerificationError(Reason.HEADER, "wrong typ")
    return header.kid
