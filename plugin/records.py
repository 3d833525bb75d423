"""What the key store holds, and its one encoding."""

from typing import Final

import msgspec

from plugin import decoding
from plugin.decoding import DecodingError
from protocol.encoding import b64u, unb64u
from protocol.handshake import Pending, SessionKey

STORE_VERSION: Final = 1


class StoreDamagedError(Exception):
    """The bytes are not a store this version wrote."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen record whose secrets are never shown by accident."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class PendingRecord(Record, frozen=True, forbid_unknown_fields=True):
    """An exchange whose confirm may have been sent: `data` holds its exact bytes."""

    activation: str
    issuer: str
    exchange: str
    created: int
    data: str

    @classmethod
    def of(cls, pending: Pending, *, exchange: str, now: int) -> "PendingRecord":
        return cls(pending.activation, pending.issuer, exchange, now, b64u(pending.to_bytes()))

    def pending(self) -> Pending:
        return Pending.from_bytes(unb64u(self.data))


class KeyRecord(Record, frozen=True, forbid_unknown_fields=True):
    """One active key: for one account and service of one issuer."""

    key_id: str
    issuer: str
    device: str
    sub: str
    grant: str
    account: str
    service: str
    service_uid: str
    key: str
    book: str | None
    created: int

    @classmethod
    def of(cls, key: SessionKey, *, issuer: str, device: str, sub: str, now: int) -> "KeyRecord":
        return cls(
            key.key_id,
            issuer,
            device,
            sub,
            key.grant,
            key.account,
            key.service,
            key.service_uid,
            b64u(key.key),
            key.book,
            now,
        )

    def session_key(self) -> SessionKey:
        return SessionKey(
            self.grant,
            self.account,
            self.service,
            self.service_uid,
            unb64u(self.key, length=32),
            self.book,
        )

    @property
    def words(self) -> tuple[str, str, str, str]:
        return self.session_key().words


class Contents(Record, frozen=True, forbid_unknown_fields=True):
    """Everything in the store; a change makes a new one."""

    version: int = STORE_VERSION
    identities: dict[str, str] = msgspec.field(default_factory=dict)
    pending: tuple[PendingRecord, ...] = ()
    keys: tuple[KeyRecord, ...] = ()
    used: dict[str, int] = msgspec.field(default_factory=dict)


def encode(contents: Contents) -> bytes:
    """Return the one encoding of `contents`."""
    return msgspec.json.encode(contents, order="sorted")


def decode(data: bytes) -> Contents:
    """Return what encodes to exactly `data`, or raise StoreDamagedError."""
    try:
        contents = decoding.decode(data, Contents)
    except DecodingError as error:
        raise StoreDamagedError(str(error)) from error
    if contents.version != STORE_VERSION:
        raise StoreDamagedError(f"version {contents.version}")
    if encode(contents) != data:
        raise StoreDamagedError("not in its one encoding")
    return contents
