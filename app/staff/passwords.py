"""Passwords of staff: which are good enough, and how they are kept.

Hashing takes 32 MiB and some 50 ms of a core each time, so only so many run at once, and somebody
who sends many passwords slows down nobody but themselves.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from zxcvbn import zxcvbn

# Nobody comes in with a password alone, so NIST SP 800-63B asks for eight characters.
MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 256
# Of zxcvbn's scores from 0 to 4: more than 10^8 guesses.
MIN_SCORE: Final = 3
# What it looks at; the rest can only make a password better.
LOOKED_AT: Final = 72
MEMORY_KIB: Final = 32 * 1024
PASSES: Final = 3
PATIENCE_SECONDS: Final = 2.0
WAITING_PER_PLACE: Final = 8


class Weakness(StrEnum):
    """Why a password is refused."""

    SHORT = "short"
    LONG = "long"
    COMMON = "common"


class WeakPasswordError(Exception):
    """The password is not good enough."""

    def __init__(self, why: Weakness) -> None:
        super().__init__(why)
        self.why = why


class BusyError(Exception):
    """Too many passwords are being checked; try again in a moment."""


def normalise(untrusted: str) -> str:
    """Return the one form in which a password is hashed, however a keyboard wrote its accents."""
    return unicodedata.normalize("NFC", untrusted)


def check(untrusted: str, about: Sequence[str]) -> None:
    """Raise WeakPasswordError for a short or common one; ``about`` has names not to build on."""
    password = normalise(untrusted)
    if len(password) < MIN_LENGTH:
        raise WeakPasswordError(Weakness.SHORT)
    if len(password) > MAX_LENGTH:
        raise WeakPasswordError(Weakness.LONG)
    known = [word.lower() for text in about for word in (text, *text.split())]
    if zxcvbn(password[:LOOKED_AT], user_inputs=known)["score"] < MIN_SCORE:
        raise WeakPasswordError(Weakness.COMMON)


class Hasher:
    """Argon2id, as many at once as there are cores; tests ask for less memory."""

    def __init__(self, places: int | None = None, *, memory_kib: int = MEMORY_KIB) -> None:
        self._memory_kib: Final = memory_kib
        self._argon2: Final = PasswordHasher(
            time_cost=PASSES, memory_cost=memory_kib, parallelism=1, type=Type.ID
        )
        count = places or os.cpu_count() or 1
        self._places: Final = threading.BoundedSemaphore(count)
        self._waiting: Final = threading.BoundedSemaphore(count * WAITING_PER_PLACE)
        # Checked for who does not exist, so that it takes as long.
        self._nobody: Final = self._argon2.hash("nobody", salt=bytes(16))

    def hash(self, password: str) -> str:
        """Return what is kept of a password; raise BusyError while too many are at it."""
        with self._place():
            return self._argon2.hash(normalise(password))

    def matches(self, kept: str | None, untrusted: str) -> bool:
        """Tell whether it is the password; for nobody's it takes as long. Raises BusyError."""
        with self._place():
            try:
                self._argon2.verify(kept or self._nobody, normalise(untrusted))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Tell whether it was hashed in another way than today's."""
        return self._argon2.check_needs_rehash(kept)

    def derive(self, code: str, salt: bytes) -> bytes:
        """Return the hash of a printed code, the same for the same salt. Raises BusyError."""
        with self._place():
            return hash_secret_raw(
                code.encode(), salt, PASSES, self._memory_kib, 1, hash_len=32, type=Type.ID
            )

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._waiting.acquire(blocking=False):
            raise BusyError
        try:
            if not self._places.acquire(timeout=PATIENCE_SECONDS):
                raise BusyError
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._waiting.release()
