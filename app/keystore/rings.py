"""The keys a process works with: loaded once, read again when an operator changes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from app.keystore.provider import KeyKind, KeyProvider, KeyStoreError, StoredKey
from app.keystore.sealing import Sealer
from protocol.signing import SigningKey

# How long a rotation may go unnoticed; a key that others use already is looked for at once.
LOOK_SECONDS: Final = 1.0


class KeyRing:
    """The keys of one kind, current and older; a rotation needs no restart."""

    def __init__(self, provider: KeyProvider, kind: KeyKind) -> None:
        self._provider: Final = provider
        self.kind: Final = kind
        self._stamp = provider.stamp(kind)
        self._keys = provider.load(kind)
        self._look_again = time.monotonic() + LOOK_SECONDS

    def current(self, now: int) -> StoredKey:
        """Return the newest key in use at ``now``, or raise KeyStoreError."""
        if time.monotonic() >= self._look_again:
            self._refresh()
        for key in reversed(self._keys):
            if key.is_current(now):
                return key
        raise KeyStoreError(
            f"there is no {self.kind} key in use", "run: flask --app wsgi keys init"
        )

    def find(self, key_id: str) -> StoredKey | None:
        """Return the key with this id, retired or not."""
        found = self._among_known(key_id)
        if found is None:
            # Another process may have sealed with a key that is newer than our last look.
            self._refresh()
            found = self._among_known(key_id)
        return found

    def _among_known(self, key_id: str) -> StoredKey | None:
        return next((key for key in self._keys if key.id == key_id), None)

    def _refresh(self) -> None:
        stamp = self._provider.stamp(self.kind)
        if stamp != self._stamp:
            self._keys = self._provider.load(self.kind)
            self._stamp = stamp
        self._look_again = time.monotonic() + LOOK_SECONDS


class SigningKeys:
    """The signing keys of one kind."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring: Final = ring
        self._built: dict[str, SigningKey] = {}

    def current(self, now: int) -> SigningKey:
        """Return the key to sign with at ``now``, or raise KeyStoreError."""
        stored = self._ring.current(now)
        key = self._built.get(stored.id)
        if key is None:
            key = self._built[stored.id] = SigningKey.from_seed(stored.secret)
        return key


@dataclass(frozen=True)
class PortalKeys:
    """What the portal holds: it signs documents and seals what the exchange opens."""

    documents: SigningKeys
    grants: Sealer
    staff: Sealer

    @classmethod
    def open(cls, provider: KeyProvider, *, entropy: Callable[[int], bytes], now: int) -> Self:
        """Load documents and its two sealing keys; raise KeyStoreError if one is missing."""
        documents = _required(provider, KeyKind.DOCUMENTS, now)
        grants = _required(provider, KeyKind.SEALING_GRANTS, now)
        staff = _required(provider, KeyKind.SEALING_STAFF, now)
        return cls(
            SigningKeys(documents), Sealer(grants, entropy=entropy), Sealer(staff, entropy=entropy)
        )


@dataclass(frozen=True)
class WorkerKeys:
    """What the worker holds: it signs the audit's end, stocks passwords, opens staff's secrets."""

    audit: SigningKeys
    grants: Sealer
    staff: Sealer

    @classmethod
    def open(cls, provider: KeyProvider, *, entropy: Callable[[int], bytes], now: int) -> Self:
        """Load audit and its two sealing keys; raise KeyStoreError if one is missing."""
        audit = _required(provider, KeyKind.AUDIT, now)
        grants = _required(provider, KeyKind.SEALING_GRANTS, now)
        staff = _required(provider, KeyKind.SEALING_STAFF, now)
        return cls(
            SigningKeys(audit), Sealer(grants, entropy=entropy), Sealer(staff, entropy=entropy)
        )


@dataclass(frozen=True)
class ExchangeKeys:
    """What the key exchange service holds: it signs replies, opens grants, seals keys."""

    exchange: SigningKeys
    grants: Sealer
    keys: Sealer

    @classmethod
    def open(cls, provider: KeyProvider, *, entropy: Callable[[int], bytes], now: int) -> Self:
        """Load exchange, sealing-grants and sealing-keys; raise KeyStoreError if one is missing."""
        exchange = _required(provider, KeyKind.EXCHANGE, now)
        grants = _required(provider, KeyKind.SEALING_GRANTS, now)
        keys = _required(provider, KeyKind.SEALING_KEYS, now)
        return cls(
            SigningKeys(exchange), Sealer(grants, entropy=entropy), Sealer(keys, entropy=entropy)
        )


def _required(provider: KeyProvider, kind: KeyKind, now: int) -> KeyRing:
    ring = KeyRing(provider, kind)
    ring.current(now)
    return ring
