"""The key store: one sealed file, replaced whole, one writer at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from plugin.decoding import DecodingError, decode
from plugin.errors import ExitCode, UserError
from plugin.files.atomic import remove_leftovers, write_private
from plugin.files.locking import exclusive
from plugin.i18n import _
from plugin.keystore import records, sealing
from plugin.keystore.records import Contents, StoreDamagedError
from plugin.keystore.sealing import AskPassphrase, Protection
from plugin.limits import MAX_STORE, STORE_LOCK_WAIT
from plugin.paths import Paths

MAGIC: Final = b"handfast-store/1 "
NONCE_BYTES: Final = 12
Change = Callable[[Contents], Contents]


class Store:
    """Read and change the sealed contents; every change is durable when it returns."""

    def __init__(
        self,
        paths: Paths,
        *,
        entropy: Callable[[int], bytes],
        ask_passphrase: AskPassphrase,
        lock_wait: float = STORE_LOCK_WAIT,
    ) -> None:
        self._paths = paths
        self._entropy = entropy
        self._ask = ask_passphrase
        self._lock_wait = lock_wait
        self._keys: dict[Protection, bytes] = {}

    def read(self) -> Contents:
        """Return the contents; an absent store is an empty one."""
        # A reader needs no lock: the file is replaced whole.
        untrusted_file = self._bytes()
        return Contents() if untrusted_file is None else self._open(untrusted_file)[1]

    def change(self, change: Change) -> Contents:
        """Apply `change` to what the store holds now, and write it; raises UserError."""
        with self._exclusive():
            untrusted_file = self._bytes()
            if untrusted_file is None:
                protection, key = sealing.create(self._paths, self._entropy)
                self._keys[protection] = key
                contents = Contents()
            else:
                protection, contents = self._open(untrusted_file)
            changed = change(contents)
            if changed != contents or untrusted_file is None:
                self._write(protection, changed)
            return changed

    def protection(self) -> Protection | None:
        """Return how the store is sealed, None while there is no store."""
        untrusted_file = self._bytes()
        return None if untrusted_file is None else split(untrusted_file)[0]

    def set_passphrase(self, passphrase: str | None) -> Protection:
        """Seal everything with a new key: from the passphrase, or without one when None."""
        with self._exclusive():
            untrusted_file = self._bytes()
            old, contents = (
                (None, Contents()) if untrusted_file is None else self._open(untrusted_file)
            )
            if passphrase is None:
                new, key = sealing.create(self._paths, self._entropy)
            else:
                new, key = sealing.create_from_passphrase(passphrase, self._entropy)
            self._keys[new] = key
            self._write(new, contents)
            if old is not None:
                sealing.discard(old, self._paths)
            sealing.remove_strays(self._paths, new)
            return new

    def _open(self, untrusted_file: bytes) -> tuple[Protection, Contents]:
        try:
            protection, head, sealed = split(untrusted_file)
            plaintext = self._unseal(protection, head, sealed)
            return protection, records.decode(plaintext)
        except StoreDamagedError as error:
            raise _damaged() from error

    def _unseal(self, protection: Protection, head: bytes, sealed: bytes) -> bytes:
        key = self._keys.get(protection) or sealing.unlock(protection, self._paths, self._ask)
        try:
            plaintext = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], head)
        except InvalidTag as error:
            if protection.method == "passphrase" and protection not in self._keys:
                raise UserError(
                    _("the passphrase does not open the key store"),
                    _("type it again; it cannot be recovered, only forgotten with the store"),
                    ExitCode.STORE,
                ) from error
            raise _damaged() from error
        self._keys[protection] = key
        return plaintext

    def _write(self, protection: Protection, contents: Contents) -> None:
        head = MAGIC + msgspec.json.encode(protection, order="sorted") + b"\n"
        nonce = self._entropy(NONCE_BYTES)
        sealed = AESGCM(self._keys[protection]).encrypt(nonce, records.encode(contents), head)
        try:
            write_private(self._paths.store, head + nonce + sealed)
        except OSError as error:
            raise UserError(
                _("cannot write the key store: %s") % (error.strerror or error),
                _("make room or make the folder writable; what was stored before is still there"),
                ExitCode.STORE,
            ) from error

    def _bytes(self) -> bytes | None:
        try:
            with self._paths.store.open("rb") as file:
                content = file.read(MAX_STORE + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UserError(
                _("cannot read the key store: %s") % (error.strerror or error),
                _("look at the rights of %s") % self._paths.store,
                ExitCode.STORE,
            ) from error
        if len(content) > MAX_STORE:
            raise _damaged()
        return content

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with exclusive(self._paths.store_lock, wait=self._lock_wait):
            remove_leftovers(self._paths.store)
            yield


def split(untrusted_file: bytes) -> tuple[Protection, bytes, bytes]:
    """Return protection, the exact first line, and nonce with ciphertext; or StoreDamagedError."""
    line, newline, sealed = untrusted_file.partition(b"\n")
    if not line.startswith(MAGIC) or not newline or len(sealed) < NONCE_BYTES + 16:
        raise StoreDamagedError("not a store")
    try:
        protection = decode(line[len(MAGIC) :], Protection)
    except DecodingError as error:
        raise StoreDamagedError(str(error)) from error
    if MAGIC + msgspec.json.encode(protection, order="sorted") != line:
        raise StoreDamagedError("not in its one encoding")
    return protection, line + newline, sealed


def _damaged() -> UserError:
    return UserError(
        _("the key store is damaged"),
        _("bring it back from a backup; or move it away, start anew and activate again"),
        ExitCode.STORE,
    )
