"""What the key store holds, and its one encoding."""

from typing import Final, Literal, TypeVar

import msgspec

from plugin import decoding
from plugin.decoding import DecodingError
from plugin.keystore.records_v1 import ContentsV1, upgraded
from protocol.encoding import b64u, unb64u
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.handshake import Pending, SessionKey
from protocol.signing import SigningKey

STORE_VERSION: Final = 3
T = TypeVar("T")
PendingKind = Literal["document", "code", "rotation"]


class StoreDamagedError(Exception):
    """The bytes are not a store this version wrote."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frozen record whose secrets are never shown by accident."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class PendingRecord(Record, frozen=True, forbid_unknown_fields=True):
    """An exchange whose confirm may have been sent: `data` holds its exact bytes.

    `replaces` is the id of the key that a rotation replaces, None for everything else.
    """

    activation: str
    issuer: str
    exchange: str
    created: int
    data: str
    kind: PendingKind = "document"
    replaces: str | None = None

    @classmethod
    def of(
        cls, pending: Pending, *, exchange: str, now: int, replaces: str | None = None
    ) -> "PendingRecord":
        return cls(
            pending.activation,
            pending.issuer,
            exchange,
            now,
            b64u(pending.to_bytes()),
            pending.kind,
            replaces,
        )

    def is_same_code(self, other: "PendingRecord") -> bool:
        """Say whether both are runs of codes with one handle, of one issuer."""
        return (self.kind, self.issuer, self.activation) == (
            other.kind,
            other.issuer,
            other.activation,
        )

    def pending(self) -> Pending:
        return Pending.from_bytes(unb64u(self.data))

    def belongs_to(self, issuer: str, sub: str) -> bool:
        """Say whether this is known to be for an owner; before its complete, a code is nobody's."""
        if self.issuer != issuer:
            return False
        try:
            return self.pending().sub == sub
        except (LocalProtocolError, RemoteProtocolError):
            return False


class KeyRecord(Record, frozen=True, forbid_unknown_fields=True):
    """One active key: for one account and service of one issuer; times in seconds UTC.

    `book` is the signed service book (JWS), None until a report fetches it. `exchange` is None
    where an older version did not keep it. Packet numbers up to `reserved` may have been used.
    `proven` and `reported` say when the service answered a packet under this key for the first
    and for the last time, and `waiting` whether it then still waited for the owner to confirm
    this device.
    """

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
    exchange: str | None = None
    reserved: int = 0
    proven: int | None = None
    reported: int | None = None
    waiting: bool = False

    @classmethod
    def of(
        cls, key: SessionKey, *, issuer: str, device: str, sub: str, exchange: str, now: int
    ) -> "KeyRecord":
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
            None,
            now,
            exchange,
        )

    def session_key(self) -> SessionKey:
        return SessionKey(
            self.grant,
            self.account,
            self.service,
            self.service_uid,
            unb64u(self.key, length=32),
        )

    @property
    def serves(self) -> tuple[str, str, str]:
        """Issuer, account and service: of the keys that agree in these, the newest counts."""
        return self.issuer, self.account, self.service

    def is_owned_like(self, other: "KeyRecord") -> bool:
        """Say whether both belong to one owner at one issuer."""
        return (self.issuer, self.sub) == (other.issuer, other.sub)

    @property
    def words(self) -> tuple[str, str, str, str]:
        return self.session_key().words


class ProgramRecord(Record, frozen=True, forbid_unknown_fields=True):
    """A program that the person lets use the keys of one account and service for one purpose."""

    program: str
    digest: str
    issuer: str
    service: str
    account: str
    purpose: str
    granted: int


class RemovalRecord(Record, frozen=True, forbid_unknown_fields=True):
    """That the service had everything of one owner removed here; times in seconds UTC.

    `key` and `at` are those of the notice that said so, `device` the thumbprint that answers it.
    `noted` says when the service noted the answer, None until then.
    """

    issuer: str
    exchange: str
    device: str
    key: str
    at: int
    accounts: tuple[str, ...]
    removed: int
    noted: int | None = None


class Contents(Record, frozen=True, forbid_unknown_fields=True):
    """Everything in the store; a change makes a new one. Newer keys come after older ones.

    `tokens` holds by issuer what signs this device in at the portal's interface for programs.
    `unwanted` holds keys that the person refused after a typed code: only to be ended.
    """

    version: int = STORE_VERSION
    identities: dict[str, str] = msgspec.field(default_factory=dict)
    tokens: dict[str, str] = msgspec.field(default_factory=dict)
    pending: tuple[PendingRecord, ...] = ()
    keys: tuple[KeyRecord, ...] = ()
    programs: tuple[ProgramRecord, ...] = ()
    used: dict[str, int] = msgspec.field(default_factory=dict)
    unwanted: tuple[KeyRecord, ...] = ()
    removals: tuple[RemovalRecord, ...] = ()


class _ContentsV2(Record, frozen=True, forbid_unknown_fields=True):
    """What a store of the second version holds: the same records, and fewer of them."""

    version: int
    identities: dict[str, str]
    tokens: dict[str, str]
    pending: tuple[PendingRecord, ...]
    keys: tuple[KeyRecord, ...]
    programs: tuple[ProgramRecord, ...]
    used: dict[str, int]


def identity_key(seed: str) -> SigningKey:
    """Return the identity key that is kept as `seed`."""
    return SigningKey.from_seed(unb64u(seed, length=32))


def encode(contents: Contents) -> bytes:
    """Return the one encoding of `contents`."""
    return msgspec.json.encode(contents, order="sorted")


def decode(data: bytes) -> Contents:
    """Return what encodes to exactly `data`, now or earlier; or raise StoreDamagedError."""
    try:
        version = decoding.decode(data, _Versioned).version
        if version not in (1, 2, STORE_VERSION):
            raise StoreDamagedError(f"version {version}")
        if version == STORE_VERSION:
            return _exact(data, Contents)
        if version == 2:
            second = msgspec.structs.asdict(_exact(data, _ContentsV2))
            return Contents(**{**second, "version": STORE_VERSION})
        return msgspec.convert(upgraded(_exact(data, ContentsV1)), Contents)
    except DecodingError as error:
        raise StoreDamagedError(str(error)) from error


class _Versioned(msgspec.Struct):
    version: int


def _exact(data: bytes, version: type[T]) -> T:
    contents = decoding.decode(data, version)
    if msgspec.json.encode(contents, order="sorted") != data:
        raise StoreDamagedError("not in its one encoding")
    return contents
