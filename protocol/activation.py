"""The activation document: claims, signing, opening, and the checks before consent."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

import msgspec

from protocol import service_uid as uid
from protocol.encoding import (
    Bytes32,
    KeyId,
    PublicId,
    ServiceName,
    Subject,
    Text,
    Whole,
    decode,
    encode,
    lv_cat,
)
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.messages import SUITE as SUITE
from protocol.signing import SigningKey, sign_jws, verify_jws
from protocol.trust import SKEW, TrustedIssuer

TYP: Final = "handfast-activation+jwt"
AUDIENCE: Final = "handfast-device"
MAX_LIFETIME: Final = 600
MAX_GRANTS: Final = 64


@dataclass(frozen=True, slots=True)
class Grant:
    """One service of one account, with its activation password (32 bytes, never shown)."""

    id: str
    account: str
    service: str
    service_uid: str
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActivationDocument:
    """The claims of a document; times are whole seconds, `jti` is the activation's id."""

    iss: str
    iat: int
    exp: int
    jti: str
    sub: str
    exchange: str
    grants: tuple[Grant, ...]
    suite: str = SUITE
    jkt: str | None = None
    aud: str = AUDIENCE


@dataclass(frozen=True, slots=True)
class VerifiedDocument:
    """A document whose signature and form are right; `validate` says whether to act on it."""

    document: ActivationDocument
    raw: bytes = field(repr=False)
    issuer: TrustedIssuer


def sign_document(document: ActivationDocument, key: SigningKey) -> bytes:
    """Sign the claims as the compact JWS that is the document.

    Raises LocalProtocolError for claims that no device would accept.
    """
    payload = encode(_to_wire(document))
    try:
        _from_payload(payload)
    except VerificationError as error:
        raise LocalProtocolError(f"not fit to be signed: {error}") from error
    return sign_jws(payload, key, TYP)


def open_document(untrusted: bytes, trusted: Sequence[TrustedIssuer]) -> VerifiedDocument:
    """Verify signature and form (docs/protocol.md 6, steps 1 to 7), or raise VerificationError."""
    keys = {}
    owners: dict[str, list[TrustedIssuer]] = {}
    for issuer in trusted:
        for kid, key in issuer.key_set.document_keys().items():
            keys[kid] = key
            owners.setdefault(kid, []).append(issuer)
    # A key that two issuers claim speaks for neither.
    keys = {kid: key for kid, key in keys.items() if len(owners[kid]) == 1}
    payload, kid = verify_jws(untrusted, keys, TYP)
    document = _from_payload(payload)
    owner = owners[kid][0]
    if document.iss != owner.issuer or document.iss != owner.key_set.iss:
        raise VerificationError(Reason.WRONG_ISSUER)
    return VerifiedDocument(document=document, raw=untrusted, issuer=owner)


def validate(
    verified: VerifiedDocument,
    *,
    origin: str | None,
    device_jkt: str,
    now: int,
    seen: Callable[[str], bool],
) -> None:
    """Raise VerificationError at the first check of docs/protocol.md 6 that fails, in its order.

    `origin` is where the browser got the document, or None when it came as a file;
    `seen` says whether an activation id was used on this device before.
    """
    document, key_set = verified.document, verified.issuer.key_set
    if origin is not None and origin != document.iss:
        raise VerificationError(Reason.WRONG_ORIGIN, f"issued by {document.iss}, not by {origin}")
    if document.aud != AUDIENCE:
        raise VerificationError(Reason.WRONG_AUDIENCE)
    if document.suite != SUITE:
        raise VerificationError(Reason.UNSUPPORTED_SUITE)
    if not key_set.iat - SKEW <= now < key_set.exp + SKEW:
        raise VerificationError(Reason.STALE_KEY_SET)
    if document.iat > now + SKEW:
        raise VerificationError(Reason.NOT_YET_VALID)
    if document.exp <= now - SKEW:
        raise VerificationError(Reason.EXPIRED)
    if all(document.exchange != exchange.url for exchange in key_set.exchanges):
        raise VerificationError(Reason.UNKNOWN_EXCHANGE, document.exchange)
    if document.jkt is not None and document.jkt != device_jkt:
        raise VerificationError(Reason.WRONG_DEVICE)
    if seen(document.jti):
        raise VerificationError(Reason.ALREADY_USED)


def document_prs(raw: bytes, passwords: Sequence[bytes]) -> bytes:
    """The CPace password of a document: 64 bytes over its exact bytes and its passwords."""
    digest = hashlib.sha512(raw).digest()
    return hashlib.sha512(lv_cat("handfast/1 document", digest, *passwords)).digest()


class _WireGrant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: PublicId
    account: Text
    service: ServiceName
    service_uid: str
    password: Bytes32


class _Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jkt: KeyId


class _Claims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    iss: str
    aud: str
    iat: Whole
    exp: Whole
    jti: PublicId
    sub: Subject
    suite: str
    exchange: str
    grants: Annotated[tuple[_WireGrant, ...], msgspec.Meta(min_length=1, max_length=MAX_GRANTS)]
    cnf: _Confirmation | msgspec.UnsetType = msgspec.UNSET


def _to_wire(document: ActivationDocument) -> _Claims:
    return _Claims(
        iss=document.iss,
        aud=document.aud,
        iat=document.iat,
        exp=document.exp,
        jti=document.jti,
        sub=document.sub,
        suite=document.suite,
        exchange=document.exchange,
        grants=tuple(
            _WireGrant(one.id, one.account, one.service, one.service_uid, Bytes32(one.password))
            for one in document.grants
        ),
        cnf=msgspec.UNSET if document.jkt is None else _Confirmation(document.jkt),
    )


def _from_payload(payload: bytes) -> ActivationDocument:
    try:
        claims = decode(payload, _Claims)
        _check_consistent(claims)
    except RemoteProtocolError as error:
        raise VerificationError(Reason.PAYLOAD, str(error)) from error
    return ActivationDocument(
        iss=claims.iss,
        iat=claims.iat,
        exp=claims.exp,
        jti=claims.jti,
        sub=claims.sub,
        exchange=claims.exchange,
        grants=tuple(
            Grant(one.id, one.account, one.service, one.service_uid, bytes(one.password))
            for one in claims.grants
        ),
        suite=claims.suite,
        jkt=None if claims.cnf is msgspec.UNSET else claims.cnf.jkt,
        aud=claims.aud,
    )


def _check_consistent(claims: _Claims) -> None:
    if not 0 < claims.exp - claims.iat <= MAX_LIFETIME:
        raise RemoteProtocolError(ErrorCode.MALFORMED, "lifetime")
    ids = {grant.id for grant in claims.grants}
    targets = {(grant.account, grant.service) for grant in claims.grants}
    uids = {grant.service_uid for grant in claims.grants}
    if not len(ids) == len(targets) == len(uids) == len(claims.grants):
        raise RemoteProtocolError(ErrorCode.MALFORMED, "a grant is listed twice")
    for service_uid in uids:
        uid.parse(service_uid)
