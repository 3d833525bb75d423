"""The operator's work with keys: make, rotate, publish, list.

A document or exchange key is published at least seven days before its first use, so that every
device that refreshes daily knows it by then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from app.clock import DAY, SECOND, seconds
from app.keystore.provider import KeyKind, KeyProvider, KeyStoreError, Published, StoredKey
from app.keystore.sealing import new_sealing_key
from protocol.errors import VerificationError
from protocol.signing import SigningKey, verify_jws
from protocol.trust import (
    TYP,
    ExchangeEntry,
    KeyEntry,
    KeySet,
    TrustBundle,
    sign_key_set,
    verify_key_set,
)

KEY_SET_DAYS: Final = 90
# How long a new key is public before it signs anything.
NOTICE: Final[dict[KeyKind, int]] = {
    KeyKind.DOCUMENTS: 8 * DAY,
    KeyKind.EXCHANGE: 8 * DAY,
    KeyKind.ROOT: 90 * DAY,
}
# How long the old key stays public after its last signature.
OVERLAP: Final = DAY
WARN_DAYS: Final = 30
SEALING: Final = frozenset({KeyKind.SEALING_GRANTS, KeyKind.SEALING_KEYS, KeyKind.SEALING_STAFF})


@dataclass(frozen=True)
class KeyInfo:
    """What may be shown of a key; ``state`` is upcoming, current, older or retired."""

    kind: KeyKind
    id: str
    created_at: int
    not_before: int
    retired_at: int | None
    state: str


def init_keys(
    provider: KeyProvider,
    *,
    issuer: str,
    exchange_url: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> TrustBundle:
    """Make every key that is missing, publish, and return the trust bundle. Safe to repeat."""
    missing = [kind for kind in KeyKind if not provider.load(kind)]
    begun = len(missing) < len(KeyKind) or provider.read_published(Published.TRUST) is not None
    if KeyKind.ROOT in missing and begun:
        # A second root by accident would leave every device behind; the root is made first.
        raise KeyStoreError("the root key is not here", "bring its folder back")
    for kind in missing:
        provider.save(_new_key(kind, now=now, not_before=now, entropy=entropy))
    publish(provider, issuer=issuer, exchange_url=exchange_url, now=now)
    return trust_bundle(provider, issuer=issuer)


def rotate(
    provider: KeyProvider,
    kind: KeyKind,
    *,
    now: int,
    entropy: Callable[[int], bytes],
    at_once: bool = False,
) -> StoredKey:
    """Make the successor of a kind's current key; publish afterwards.

    ``at_once`` is for a stolen key: the successor is used now and the others retire now.
    """
    notice = 0 if at_once else NOTICE.get(kind, 0)
    successor = _new_key(kind, now=now, not_before=now + notice, entropy=entropy)
    if kind is KeyKind.ROOT and len(_unretired(provider, kind, now)) > 1 and not at_once:
        raise KeyStoreError("there are two root keys already", "wait until one has retired")
    provider.save(successor)
    end = now if at_once else successor.not_before + (0 if kind in SEALING else OVERLAP)
    for older in _unretired(provider, kind, now):
        if older.id != successor.id and (older.retired_at is None or older.retired_at > end):
            provider.save(replace(older, retired_at=end))
    return successor


def publish(provider: KeyProvider, *, issuer: str, exchange_url: str, now: int) -> KeySet:
    """Sign and publish the key set, and the trust bundle beside it."""
    roots = [key for key in provider.load(KeyKind.ROOT) if key.is_current(now)]
    if not roots:
        raise KeyStoreError(
            "the root key is not here", "bring its folder, or run: flask --app wsgi keys init"
        )
    # The oldest root in use: devices that know only that one accept the set for as long as it is.
    root = SigningKey.from_seed(roots[0].secret)
    bundle = trust_bundle(provider, issuer=issuer)
    key_set = KeySet(
        iss=issuer,
        version=_next_version(provider, now),
        iat=seconds(now),
        exp=seconds(now + KEY_SET_DAYS * DAY),
        documents=_entries(provider, KeyKind.DOCUMENTS, now),
        exchanges=(ExchangeEntry(exchange_url, _entries(provider, KeyKind.EXCHANGE, now)),),
    )
    signed = sign_key_set(key_set, root)
    # What devices would refuse is not published.
    verify_key_set(signed, bundle, now=seconds(now))
    provider.publish(Published.TRUST, bundle.to_json())
    provider.publish(Published.KEY_SET, signed)
    return key_set


def trust_bundle(provider: KeyProvider, *, issuer: str) -> TrustBundle:
    """Return the trust bundle of the newest one or two root keys."""
    roots = provider.load(KeyKind.ROOT)[-2:]
    return TrustBundle(issuer, tuple(SigningKey.from_seed(key.secret).verify_key for key in roots))


def list_keys(provider: KeyProvider, *, now: int) -> tuple[KeyInfo, ...]:
    """Return every key that can be read here, without its secret."""
    return tuple(
        KeyInfo(key.kind, key.id, key.created_at, key.not_before, key.retired_at, state)
        for kind in KeyKind
        for key, state in _states(provider.load(kind), now)
    )


def published_until(provider: KeyProvider, *, now: int) -> int | None:
    """Return when the published key set expires (microseconds), or None if there is no valid one.

    Warn when this is less than ``WARN_DAYS`` days away.
    """
    key_set = published_key_set(provider, now=now)
    return None if key_set is None else key_set.exp * SECOND


def published_key_set(provider: KeyProvider, *, now: int) -> KeySet | None:
    """Return the published key set if it verifies against the published trust bundle."""
    signed = provider.read_published(Published.KEY_SET)
    trust = provider.read_published(Published.TRUST)
    if signed is None or trust is None:
        return None
    try:
        return verify_key_set(signed, TrustBundle.from_json(trust), now=seconds(now))
    except VerificationError:
        return None


def _new_key(
    kind: KeyKind, *, now: int, not_before: int, entropy: Callable[[int], bytes]
) -> StoredKey:
    if kind in SEALING:
        return new_sealing_key(kind, now=now, entropy=entropy)
    key = SigningKey.generate(entropy=entropy)
    return StoredKey(kind, key.kid, now, not_before, None, key.seed())


def _unretired(provider: KeyProvider, kind: KeyKind, now: int) -> tuple[StoredKey, ...]:
    return tuple(key for key in provider.load(kind) if not key.is_retired(now))


def _entries(provider: KeyProvider, kind: KeyKind, now: int) -> tuple[KeyEntry, ...]:
    keys = [SigningKey.from_seed(key.secret) for key in _unretired(provider, kind, now)]
    if not keys:
        raise KeyStoreError(f"there is no {kind} key in use", "run: flask --app wsgi keys init")
    return tuple(KeyEntry(key.kid, key.public) for key in keys)


def _next_version(provider: KeyProvider, now: int) -> int:
    """Count on from the published set; the time is the floor, should that file ever be lost."""
    return max(seconds(now), _published_version(provider) + 1)


def _published_version(provider: KeyProvider) -> int:
    """Read the version whatever the time says: a clock set back must not take it down."""
    signed = provider.read_published(Published.KEY_SET)
    trust = provider.read_published(Published.TRUST)
    if signed is None or trust is None:
        return 0
    roots = {root.kid: root for root in TrustBundle.from_json(trust).roots}
    try:
        payload, _ = verify_jws(signed, roots, TYP)
    except VerificationError:
        raise KeyStoreError(
            "the published key set is damaged", "restore the published folder from a backup"
        ) from None
    return msgspec.json.decode(payload, type=_Versioned).version


class _Versioned(msgspec.Struct):
    version: int


def _states(keys: tuple[StoredKey, ...], now: int) -> list[tuple[StoredKey, str]]:
    current = [key for key in keys if key.is_current(now)]
    states = []
    for key in keys:
        if key.is_retired(now):
            state = "retired"
        elif key.not_before > now:
            state = "upcoming"
        else:
            state = "current" if key is current[-1] else "older"
        states.append((key, state))
    return states
