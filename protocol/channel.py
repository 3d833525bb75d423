"""Packets: what device and service send each other under a service key; docs/protocol.md 16."""

import hmac
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, TypeVar, cast

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from protocol.encoding import KeyId, PublicId, Sealed, ShortText, Whole, decode, encode, lv_cat
from protocol.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from protocol.messages import Book
from protocol.session import Direction as Direction
from protocol.session import SessionKey

T = TypeVar("T")

# A device reserves this many numbers at a time, durably, before it uses the first of them.
BLOCK: Final = 64
WINDOW: Final = 64
MAX_NUMBER: Final = 2**53 - 1
_NONCE_BYTES: Final = 12

Number = Annotated[int, msgspec.Meta(ge=1, le=MAX_NUMBER)]


class Packet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request or its answer, which has the same number; both are used once."""

    v: Literal[1]
    key: PublicId
    number: Number
    sealed: Sealed


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The activation and its only grant with which the device may replace the key."""

    activation: PublicId
    grant: PublicId


class Report(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="report"
):
    """Device to service: who I am, which book I hold, and whether I want a new key."""

    name: ShortText
    platform: ShortText
    handler: ShortText
    # A SHA-256 has the form of a key id, which is one.
    book: KeyId | None
    rotate: bool


class ReportAnswer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="report"
):
    """Service to device: a book if it changed, a rotation if one is due, the service's time."""

    book: Book | None
    waiting: bool
    rotation: Rotation | None
    at: Whole


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="end"):
    """Device to service: end this very key."""


class EndAnswer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="act", tag="end"
):
    """Service to device: it has ended."""


Request: TypeAlias = Report | End
Answer: TypeAlias = ReportAnswer | EndAnswer
OneAnswer = TypeVar("OneAnswer", bound=ReportAnswer | EndAnswer)

_CONTENTS: Final[dict[Direction, tuple[type[Request | Answer], ...]]] = {
    "to-service": (Report, End),
    "to-device": (ReportAnswer, EndAnswer),
}


def read_packet(untrusted: bytes) -> Packet:
    """Decode a packet, or raise RemoteProtocolError; its key id and number are still claims."""
    return decode(untrusted, Packet)


def seal_packet(
    key: SessionKey, direction: Direction, number: int, content: Request | Answer
) -> bytes:
    """Write the packet with this number, which one key and direction have for one content only."""
    if not 1 <= number <= MAX_NUMBER:
        raise LocalProtocolError(f"no packet has the number {number}")
    if not isinstance(content, _CONTENTS[direction]):
        raise LocalProtocolError(f"{type(content).__name__} does not go {direction}")
    plain = encode(content)
    try:
        decode(plain, type(content))
    except RemoteProtocolError as error:
        raise LocalProtocolError(f"not fit to be sent: {error}") from error
    associated = _associated(key, direction, number)
    nonce = _nonce(key, direction, associated, plain)
    sealed = nonce + _cipher(key, direction).encrypt(nonce, plain, associated)
    return encode(Packet(v=1, key=key.key_id, number=number, sealed=Sealed(sealed)))


def open_request(key: SessionKey, packet: Packet) -> Request:
    """Open what a device sent under `key`, or raise RemoteProtocolError; check its number next."""
    return _open(key, "to-service", packet, cast("type[Request]", Request))


def open_answer(
    key: SessionKey, untrusted: bytes, *, number: int, expected: type[OneAnswer]
) -> OneAnswer:
    """Open the service's answer to the packet just sent with `number`, or raise."""
    packet = read_packet(untrusted)
    if packet.number != number:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the answer to another packet")
    return _open(key, "to-device", packet, expected)


@dataclass(frozen=True, slots=True)
class Window:
    """Which numbers a service accepted: bit n of `seen`, big-endian, stands for high - n."""

    high: int = 0
    seen: bytes = bytes(8)

    def __post_init__(self) -> None:
        if self.high < 0 or len(self.seen) != WINDOW // 8:
            raise LocalProtocolError("not a window")

    def accept(self, number: int) -> "Window":
        """Return the window in which `number` is used up, or raise if it was or is too old."""
        if not 1 <= number <= MAX_NUMBER:
            raise RemoteProtocolError(ErrorCode.MALFORMED, "not the number of a packet")
        seen = int.from_bytes(self.seen, "big")
        ahead = number - self.high
        if ahead > 0:
            # A peer chooses the distance: shifting by it could take all memory.
            seen = seen << min(ahead, WINDOW) & (1 << WINDOW) - 1
            return Window(number, (seen | 1).to_bytes(8, "big"))
        if -ahead >= WINDOW or seen >> -ahead & 1:
            raise RemoteProtocolError(ErrorCode.REPLAYED)
        return Window(self.high, (seen | 1 << -ahead).to_bytes(8, "big"))


def _open(key: SessionKey, direction: Direction, packet: Packet, as_type: type[T]) -> T:
    if packet.key != key.key_id:
        raise RemoteProtocolError(ErrorCode.REFUSED, "a packet of another key")
    nonce, locked = packet.sealed[:_NONCE_BYTES], packet.sealed[_NONCE_BYTES:]
    if len(nonce) < _NONCE_BYTES:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the packet has no nonce")
    associated = _associated(key, direction, packet.number)
    try:
        plain = _cipher(key, direction).decrypt(nonce, locked, associated)
    except InvalidTag as error:
        raise RemoteProtocolError(ErrorCode.REFUSED, "the packet does not open") from error
    if not hmac.compare_digest(nonce, _nonce(key, direction, associated, plain)):
        raise RemoteProtocolError(ErrorCode.REFUSED, "the packet has another nonce than its text")
    return decode(plain, as_type)


def _cipher(key: SessionKey, direction: Direction) -> AESGCM:
    return AESGCM(key.purpose_key("packet", direction))


def _associated(key: SessionKey, direction: Direction, number: int) -> bytes:
    """The associated data that ties a packet to its key, direction and number."""
    return lv_cat("handfast/1 packet", key.key_id, direction, number.to_bytes(8, "big"))


def _nonce(key: SessionKey, direction: Direction, associated: bytes, plain: bytes) -> bytes:
    """The nonce of this very text: another text has another one, even if numbers repeat."""
    named = lv_cat("handfast/1 packet nonce", associated, plain)
    return hmac.digest(key.purpose_key("packet nonce", direction), named, "sha512")[:_NONCE_BYTES]
