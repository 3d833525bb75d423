"""The one encoding of everything: canonical base64url, length prefixes, canonical JSON."""

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, ClassVar, Final, Self, TypeVar

import msgspec

from protocol.errors import ErrorCode, RemoteProtocolError

T = TypeVar("T")

MAX_BYTES: Final = 65_536

# What people are shown has no control, line-breaking or text-direction characters, so that a
# name cannot rearrange the question it stands in.
_FORBIDDEN: Final = (
    "\\x00-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\ufeff"
)
TEXT_PATTERN: Final = f"^[^{_FORBIDDEN}]+\\Z"

Text = Annotated[str, msgspec.Meta(max_length=254, pattern=TEXT_PATTERN)]
ShortText = Annotated[str, msgspec.Meta(max_length=100, pattern=TEXT_PATTERN)]
PublicId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{21}[AQgw]\Z")]
# What names an activation on the wire: its id, or the handle of a typed code.
ActivationName = Annotated[
    str, msgspec.Meta(pattern=r"^(?:[A-Za-z0-9_-]{21}[AQgw]|[0-9A-HJKMNP-TV-Z]{4})\Z")
]
KeyId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")]
Subject = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
ServiceName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
# Whole numbers stay inside what every JSON library keeps exact.
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]

_TEXT: Final = re.compile(TEXT_PATTERN)
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]*")


def b64u(data: bytes) -> str:
    """Encode as base64url without padding (RFC 4648 section 5)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(untrusted: str, *, length: int | None = None) -> bytes:
    """Decode the one canonical spelling of `length` bytes, or raise RemoteProtocolError."""
    if not _ALPHABET.fullmatch(untrusted):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not base64url")
    try:
        data = urlsafe_b64decode(untrusted + "=" * (-len(untrusted) % 4))
    except binascii.Error as error:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not base64url") from error
    if b64u(data) != untrusted:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not canonical base64url")
    if length is not None and len(data) != length:
        raise RemoteProtocolError(ErrorCode.MALFORMED, f"not {length} bytes")
    return data


def is_short_text(text: str) -> bool:
    """Whether `text` may stand where the protocol has text(100)."""
    # A file system may give names that are no Unicode text; they cannot be sent.
    whole = text.encode("utf-8", "replace").decode() == text
    return whole and len(text) <= 100 and bool(_TEXT.match(text))


def lv_cat(*fields: bytes | str) -> bytes:
    """Join fields, each after its length in LEB128 (the CPace draft's lv_cat); text is UTF-8."""
    parts: list[bytes] = []
    for field in fields:
        data = field.encode() if isinstance(field, str) else field
        length = len(data)
        parts += (_SHORT[length] if length < 0x80 else _leb128(length), data)
    return b"".join(parts)


class FixedBytes(bytes):
    """Bytes of one exact length; a base64url string on the wire."""

    length: ClassVar[int]

    def __init_subclass__(cls, *, length: int) -> None:
        cls.length = length

    @classmethod
    def from_wire(cls, untrusted: str) -> Self:
        """Decode and check the length."""
        data = cls(_from_base64(untrusted))
        if len(data) != cls.length:
            raise RemoteProtocolError(ErrorCode.MALFORMED, f"not {cls.length} bytes")
        return data


class Bytes16(FixedBytes, length=16):
    """An identifier."""


class Bytes32(FixedBytes, length=32):
    """A nonce, a CPace share, an Ed25519 public key."""


class Bytes64(FixedBytes, length=64):
    """A hash, a tag, a signature."""


class Sealed(bytes):
    """AES-256-GCM output of any length; a base64url string on the wire."""

    @classmethod
    def from_wire(cls, untrusted: str) -> Self:
        """Decode; the tag check says whether it is any good."""
        return cls(_from_base64(untrusted))


def decode(untrusted: bytes, as_type: type[T]) -> T:
    """Parse strict JSON of at most 64 KiB, or raise RemoteProtocolError.

    The value must encode to the very same bytes. That one comparison refuses duplicate and
    disordered names, white space, needless escapes, 1.0 for 1, and members that the type lacks.
    It would let escaped control characters pass, which no string may hold.
    """
    if len(untrusted) > MAX_BYTES:
        raise RemoteProtocolError(ErrorCode.TOO_LARGE)
    try:
        value: T = _decoder(as_type).decode(untrusted)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise RemoteProtocolError(ErrorCode.MALFORMED, str(error)) from error
    if encode(value) != untrusted:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not the canonical encoding")
    if _escapes_control(untrusted):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "a control character in a string")
    return value


def encode(value: object) -> bytes:
    """Write canonical JSON: members in the order of their definition, no white space, UTF-8."""
    return _ENCODER.encode(value)


def _escapes_control(canonical: bytes) -> bool:
    """Whether an escape other than of quotation mark and backslash stands in canonical JSON."""
    if b"\\" not in canonical:
        return False
    # Pairs of backslashes go first, so that each one left begins an escape.
    return b"\\" in canonical.replace(b"\\\\", b"").replace(b'\\"', b"")


def _from_base64(untrusted: str) -> bytes:
    """Decode loosely: `decode` compares the whole message with its encoding afterwards."""
    try:
        return urlsafe_b64decode(untrusted + "=" * (-len(untrusted) % 4))
    except ValueError as error:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not base64url") from error


def _leb128(length: int) -> bytes:
    prefix = bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    prefix.append(length)
    return bytes(prefix)


def _to_wire(value: object) -> str:
    if isinstance(value, FixedBytes) and len(value) != value.length:
        raise ValueError(f"{type(value).__name__} holds {len(value)} bytes")
    if isinstance(value, FixedBytes | Sealed):
        return b64u(value)
    raise NotImplementedError(type(value).__name__)


def _from_wire(as_type: type, untrusted: object) -> FixedBytes | Sealed:
    if not isinstance(untrusted, str) or not issubclass(as_type, FixedBytes | Sealed):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "not a base64url string")
    return as_type.from_wire(untrusted)


_SHORT: Final = tuple(bytes([length]) for length in range(0x80))
_ENCODER: Final = msgspec.json.Encoder(enc_hook=_to_wire)
_DECODERS: Final[dict[type, msgspec.json.Decoder[Any]]] = {}


def _decoder(as_type: type[T]) -> msgspec.json.Decoder[T]:
    """Building a decoder costs more than using it, so each type has one."""
    decoder = _DECODERS.get(as_type)
    if decoder is None:
        decoder = _DECODERS[as_type] = msgspec.json.Decoder(as_type, dec_hook=_from_wire)
    return decoder
