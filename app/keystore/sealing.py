"""Sealing of columns: AES-256-GCM with keys that are not in the database.

A sealed value is ``key id (8 bytes) || nonce (12) || ciphertext and tag``. The associated data
name table, row, column and version: a ciphertext moved to another place does not open.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.keystore.provider import SECRET_BYTES, KeyKind, StoredKey
from protocol.encoding import b64u, lv_cat, unb64u

ID_BYTES: Final = 8
NONCE_BYTES: Final = 12
LABEL: Final = "handfast/1 sealed"
TAG_LABEL: Final = "handfast/1 tag"


class SealError(Exception):
    """A sealed value did not open: altered, moved, or sealed with a key we do not hold."""


@dataclass(frozen=True)
class Place:
    """Where a sealed value belongs."""

    table: str
    row: str
    column: str
    version: int = 1

    def associated_data(self) -> bytes:
        """Return the bytes that tie a ciphertext to this place."""
        return lv_cat(LABEL, self.table, self.row, self.column, str(self.version))


@dataclass(frozen=True)
class SealingKey:
    """One AES-256 key with its id."""

    id: bytes
    _cipher: AESGCM = field(repr=False)

    @classmethod
    def of(cls, stored: StoredKey) -> SealingKey:
        """Build it from what the provider keeps."""
        return cls(unb64u(stored.id, length=ID_BYTES), AESGCM(stored.secret))

    def seal(self, plain: bytes, place: Place, *, nonce: bytes) -> bytes:
        """Return the sealed value; a nonce is used once."""
        return self.id + nonce + self._cipher.encrypt(nonce, plain, place.associated_data())

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return the plain value, or raise SealError."""
        nonce = sealed[ID_BYTES : ID_BYTES + NONCE_BYTES]
        try:
            return self._cipher.decrypt(
                nonce, sealed[ID_BYTES + NONCE_BYTES :], place.associated_data()
            )
        except (InvalidTag, ValueError):
            raise SealError(f"{place.table}.{place.column} does not open") from None


class Ring(Protocol):
    """Where a sealer finds its keys."""

    def current(self, now: int) -> StoredKey:
        """Return the key to seal with."""
        ...

    def find(self, key_id: str) -> StoredKey | None:
        """Return a key by its id, retired or not."""
        ...


class Sealer:
    """Seals with the current key and opens with that one or an older one."""

    def __init__(self, ring: Ring, *, entropy: Callable[[int], bytes]) -> None:
        self._ring: Final = ring
        self._entropy: Final = entropy
        self._built: dict[str, SealingKey] = {}

    def seal(self, plain: bytes, place: Place, *, now: int) -> bytes:
        """Seal a value for one place in the database."""
        key = self._key(self._ring.current(now))
        return key.seal(plain, place, nonce=self._entropy(NONCE_BYTES))

    def open(self, sealed: bytes, place: Place) -> bytes:
        """Return the plain value, or raise SealError."""
        stored = self._ring.find(b64u(sealed[:ID_BYTES]))
        if stored is None:
            raise SealError(f"{place.table}.{place.column} is sealed with a key that is not here")
        return self._key(stored).open(sealed, place)

    def tag(self, label: str, *parts: str, at: int) -> bytes:
        """Return 32 bytes that only a holder of the key can make of these parts.

        It is the key that was in use at that moment: who checks later names the same moment.
        """
        own = HKDF(SHA256(), 32, salt=None, info=lv_cat(TAG_LABEL, label))
        key = own.derive(self._ring.current(at).secret)
        return hmac.digest(key, lv_cat(*parts), "sha256")

    def _key(self, stored: StoredKey) -> SealingKey:
        key = self._built.get(stored.id)
        if key is None:
            key = self._built[stored.id] = SealingKey.of(stored)
        return key


def new_sealing_key(kind: KeyKind, *, now: int, entropy: Callable[[int], bytes]) -> StoredKey:
    """Make a sealing key, in use at once: whoever misses it reads the folder again."""
    return StoredKey(
        kind=kind,
        id=b64u(entropy(ID_BYTES)),
        created_at=now,
        not_before=now,
        retired_at=None,
        secret=entropy(SECRET_BYTES),
    )
