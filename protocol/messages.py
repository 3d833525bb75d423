"""The four messages of the exchange and what two of them seal; docs/protocol.md 8."""

from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from protocol.encoding import (
    ActivationName,
    Bytes16,
    Bytes32,
    Bytes64,
    FixedBytes,
    KeyId,
    PublicId,
    Sealed,
    ServiceName,
    ShortText,
    Subject,
    Text,
    decode,
    encode,
)
from protocol.errors import ErrorCode, RemoteProtocolError

SUITE: Final = "CPACE-X25519-SHA512+MLKEM768"
MAX_BOOK: Final = 8192

Book = Annotated[str, msgspec.Meta(max_length=MAX_BOOK)]


class EncapsulationKey(FixedBytes, length=1184):
    """An ML-KEM-768 encapsulation key."""


class Ciphertext(FixedBytes, length=1088):
    """An ML-KEM-768 ciphertext."""


class Init(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Device to service: nonce, CPace share, encapsulation key; the tag admits it."""

    v: Literal[1]
    suite: str
    activation: ActivationName
    nonce: Bytes32
    share: Bytes32
    kem: EncapsulationKey
    admission: Bytes64 | msgspec.UnsetType = msgspec.UNSET


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Service to device: CPace share and ciphertext, signed by the exchange key."""

    v: Literal[1]
    key: KeyId
    share: Bytes32
    kem: Ciphertext
    signature: Bytes64


class Confirm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Device to service: who the device is, sealed, and proof that it knows the keys."""

    v: Literal[1]
    activation: ActivationName
    run: Bytes64
    sealed: Sealed
    tag: Bytes64


class Complete(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Service to device: what was made active, sealed, and proof that it knows the keys."""

    v: Literal[1]
    sealed: Sealed
    tag: Bytes64


class DeviceIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Inside confirm: the device's identity key, its description, its signature."""

    identity: Bytes32
    name: ShortText
    platform: ShortText
    handler: ShortText
    signature: Bytes64


class KeyName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Inside complete: one service key, by name and id."""

    grant: PublicId
    account: Text
    service: ServiceName
    service_uid: str
    key_id: Bytes16
    book: Book | None


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Inside complete: the device and owner the service recorded, and every key."""

    device: KeyId
    sub: Subject
    keys: Annotated[tuple[KeyName, ...], msgspec.Meta(min_length=1, max_length=64)]


Message: TypeAlias = Init | Reply | Confirm | Complete


def read_init(untrusted: bytes) -> Init:
    """Decode an init, or raise RemoteProtocolError."""
    init = decode(untrusted, Init)
    if init.suite != SUITE:
        raise RemoteProtocolError(ErrorCode.UNSUPPORTED_SUITE)
    return init


def read_reply(untrusted: bytes) -> Reply:
    """Decode a reply, or raise RemoteProtocolError."""
    return decode(untrusted, Reply)


def read_confirm(untrusted: bytes) -> Confirm:
    """Decode a confirm, or raise RemoteProtocolError."""
    return decode(untrusted, Confirm)


def read_complete(untrusted: bytes) -> Complete:
    """Decode a complete, or raise RemoteProtocolError."""
    return decode(untrusted, Complete)


class _Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: str
    title: str
    status: int
    code: str


def problem(code: ErrorCode) -> bytes:
    """The RFC 9457 body that goes with an error code, served as application/problem+json."""
    return encode(_Problem(f"urn:handfast:error:{code}", code.sentence, code.status, code.value))
