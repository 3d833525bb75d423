"""What keeps the key store closed: the system's keyring, a key file, or a passphrase.

The keyring's and Argon2's packages are imported where they are used: the browser starts this
program anew for each document, and most stores need neither.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from plugin.errors import ExitCode, UserError
from plugin.files.atomic import sync_dir, write_private
from plugin.i18n import _
from plugin.paths import Paths
from protocol.encoding import b64u, unb64u
from protocol.errors import RemoteProtocolError

Method = Literal["keyring", "file", "passphrase"]
AskPassphrase = Callable[[], str]

KEY_BYTES: Final = 32
ARGON2_TIME: Final = 3
ARGON2_MEMORY_KIB: Final = 64 * 1024
ARGON2_LANES: Final = 4
ARGON2_MAX_MEMORY_KIB: Final = 1024 * 1024
KEYRING_SERVICE: Final = "handfast key store"
# Only backends that hand the secret to a system service; file and null backends are not better
# than our own key file, and a person would be told otherwise.
REAL_KEYRINGS: Final = frozenset(
    f"keyring.backends.{name}"
    for name in ("SecretService", "kwallet", "libsecret", "macOS", "Windows")
)


class Protection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the store's key is found again; stands in clear in the store's first line."""

    method: Method
    id: str
    salt: str = ""
    time: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    memory: Annotated[int, msgspec.Meta(ge=0, le=ARGON2_MAX_MEMORY_KIB)] = 0
    lanes: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0


def real_keyring() -> str | None:
    """Return the name of the system's keyring, or None where there is none worth the name."""
    import keyring

    backend = keyring.get_keyring()
    candidates = getattr(backend, "backends", None) or [backend]
    module = type(candidates[0]).__module__
    return module.rpartition(".")[2] if module.startswith(tuple(REAL_KEYRINGS)) else None


def create(paths: Paths, entropy: Callable[[int], bytes]) -> tuple[Protection, bytes]:
    """Make a store key and keep it in the keyring, else in a key file; durable on return."""
    key, identifier = entropy(KEY_BYTES), b64u(entropy(16))
    # A relocated home holds everything below itself: it must open on the next machine too.
    if not paths.portable and real_keyring():
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(KEYRING_SERVICE, identifier, b64u(key))
        except KeyringError:
            pass
        else:
            return Protection("keyring", identifier), key
    write_private(_key_file(paths, identifier), b64u(key).encode())
    return Protection("file", identifier), key


def create_from_passphrase(
    passphrase: str, entropy: Callable[[int], bytes]
) -> tuple[Protection, bytes]:
    """Derive a store key with Argon2id; nothing but salt and costs is kept."""
    protection = Protection(
        "passphrase",
        b64u(entropy(16)),
        b64u(entropy(16)),
        ARGON2_TIME,
        ARGON2_MEMORY_KIB,
        ARGON2_LANES,
    )
    return protection, _derive(protection, passphrase)


def unlock(protection: Protection, paths: Paths, ask: AskPassphrase) -> bytes:
    """Return the store key; raises UserError (exit 7) where it cannot be had."""
    if protection.method == "passphrase":
        return _derive(protection, ask())
    kept = (
        _from_keyring(protection)
        if protection.method == "keyring"
        else _from_file(protection, paths)
    )
    try:
        return unb64u(kept, length=KEY_BYTES)
    except RemoteProtocolError as error:
        raise locked(_("the key that opens the key store is damaged")) from error


def discard(protection: Protection, paths: Paths) -> None:
    """Forget a store key that no store needs any more."""
    if protection.method == "keyring":
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.delete_password(KEYRING_SERVICE, protection.id)
        except KeyringError:
            return
    elif protection.method == "file":
        file = _key_file(paths, protection.id)
        if file.exists():
            _remove(file)


def remove_strays(paths: Paths, needed: Protection) -> None:
    """Delete key files that a crash left behind; call it holding the store's lock."""
    for file in paths.data_dir.glob("store.*.key"):
        if file != _key_file(paths, needed.id):
            _remove(file)


def describe(protection: Protection) -> str:
    """Say plainly what protects the store."""
    if protection.method == "keyring":
        return _("sealed with a key in the system's keyring")
    if protection.method == "passphrase":
        return _("sealed with your passphrase")
    return _("sealed with a key file beside it: whoever can read your files can read your keys")


def locked(message: str) -> UserError:
    """The error for a store that is there and does not open."""
    hint = _("nothing was changed; unlock the keyring or bring back the file, then try again")
    return UserError(message, hint, ExitCode.STORE)


def _derive(protection: Protection, passphrase: str) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    try:
        return hash_secret_raw(
            passphrase.encode(),
            unb64u(protection.salt, length=16),
            protection.time,
            protection.memory,
            protection.lanes,
            KEY_BYTES,
            Type.ID,
        )
    except (RemoteProtocolError, HashingError) as error:
        raise locked(_("the key store is damaged")) from error


def _from_keyring(protection: Protection) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        kept = keyring.get_password(KEYRING_SERVICE, protection.id)
    except KeyringError as error:
        raise locked(_("the system's keyring does not open")) from error
    if kept is None:
        raise locked(_("the system's keyring does not hold the key of the key store"))
    return str(kept)


def _from_file(protection: Protection, paths: Paths) -> str:
    try:
        return _key_file(paths, protection.id).read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise locked(_("the key file of the key store cannot be read")) from error


def _key_file(paths: Paths, identifier: str) -> Path:
    # The id stands in the store's clear first line: it may not lead anywhere else.
    try:
        unb64u(identifier, length=16)
    except RemoteProtocolError as error:
        raise locked(_("the key store is damaged")) from error
    return paths.data_dir / f"store.{identifier}.key"


def _remove(file: Path) -> None:
    # Journals and flash may keep a copy all the same; overwriting only spares the easy find.
    with file.open("r+b") as opened:
        opened.write(bytes(file.stat().st_size))
        opened.flush()
        os.fsync(opened.fileno())
    file.unlink()
    sync_dir(file.parent)
