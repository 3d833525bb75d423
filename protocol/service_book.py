"""Service books: how a device uses an activated service, signed; docs/protocol.md 17."""

import hashlib
from typing import Annotated, Final, Literal

import msgspec

from protocol import service_uid as uid
from protocol.activation import AUDIENCE
from protocol.encoding import ServiceName, ShortText, Text, Whole, b64u, encode
from protocol.errors import LocalProtocolError, Reason, RemoteProtocolError, VerificationError
from protocol.messages import MAX_BOOK
from protocol.origin import is_host
from protocol.session import SessionKey
from protocol.signing import SigningKey, decode_payload, sign_jws, unverified_payload, verify_jws
from protocol.trust import KeySet

TYP: Final = "handfast-book+jwt"
MAX_SERVERS: Final = 8

Role = Literal["imap", "smtp", "carddav", "caldav"]
Security = Literal["tls", "starttls"]


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One server of the service and the user name there; never a password."""

    role: Role
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    security: Security
    username: Text


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the device looks for news, in seconds; from a minute to a week."""

    interval: Annotated[int, msgspec.Meta(ge=60, le=604_800)]


class ServiceBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of one service of one account; `iat` is when they last changed."""

    iss: str
    aud: str = AUDIENCE
    iat: Whole
    account: Text
    service: ServiceName
    service_uid: str
    provider: ShortText | None
    servers: Annotated[tuple[Server, ...], msgspec.Meta(max_length=MAX_SERVERS)]
    sync: Sync

    def is_for(self, key: SessionKey) -> bool:
        """Whether this is a book for the account and service of `key`."""
        mine = (self.account, self.service, self.service_uid)
        return mine == (key.account, key.service, key.service_uid)


def sign_book(book: ServiceBook, key: SigningKey) -> bytes:
    """Sign with a document or exchange key; LocalProtocolError if no device would accept it."""
    payload = encode(book)
    try:
        _read(payload, book.iss)
    except VerificationError as error:
        raise LocalProtocolError(f"not fit to be signed: {error}") from error
    signed = sign_jws(payload, key, TYP)
    if len(signed) > MAX_BOOK:
        raise LocalProtocolError(f"a service book of {len(signed)} bytes")
    return signed


def open_book(untrusted: bytes, key_set: KeySet, exchange: str) -> ServiceBook:
    """Return the book if the portal or `exchange` signed it, else raise VerificationError.

    The caller looks whether it `is_for` the key it came with.
    """
    keys = key_set.document_keys() | key_set.exchange_keys(exchange)
    payload, _ = verify_jws(untrusted, keys, TYP)
    return _read(payload, key_set.iss)


def reopen_verified_book(stored: bytes) -> ServiceBook:
    """Read a book that `open_book` returned before it was stored; its signer may have gone since.

    Only for what comes from this device's own sealed store: no signature is checked.
    """
    try:
        payload = unverified_payload(stored)
        return decode_payload(payload, ServiceBook)
    except VerificationError as error:
        raise LocalProtocolError("the stored service book is damaged") from error


def book_hash(jws: str) -> str:
    """The SHA-256 of a book's exact text, as base64url: what a device says it holds."""
    return b64u(hashlib.sha256(jws.encode()).digest())


def _read(payload: bytes, issuer: str) -> ServiceBook:
    book = decode_payload(payload, ServiceBook)
    if book.iss != issuer:
        raise VerificationError(Reason.WRONG_ISSUER)
    if book.aud != AUDIENCE:
        raise VerificationError(Reason.WRONG_AUDIENCE)
    if len(set(book.servers)) != len(book.servers):
        raise VerificationError(Reason.PAYLOAD, "a server is listed twice")
    if not all(is_host(server.host) for server in book.servers):
        raise VerificationError(Reason.PAYLOAD, "not a host name")
    try:
        uid.parse(book.service_uid)
    except RemoteProtocolError as error:
        raise VerificationError(Reason.PAYLOAD, str(error)) from error
    return book
