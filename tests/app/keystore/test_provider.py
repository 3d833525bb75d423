"""Keys on disk: closed to others, written whole, and read again after a rotation."""

import json
from pathlib import Path

import pytest

from app.keystore.provider import FileKeyProvider, KeyKind, KeyStoreError, Published, StoredKey
from app.keystore.rings import ExchangeKeys, KeyRing, PortalKeys
from tests.app.keystore.ready import ready_provider
from tests.app.service_fixtures import NOON, Entropy

KEY = StoredKey(KeyKind.DOCUMENTS, "some-key", NOON, NOON, None, bytes(32))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for keys that does not exist yet."""
    return tmp_path / "keys"


def test_what_was_saved_is_loaded_oldest_first(folder: Path) -> None:
    provider = FileKeyProvider(folder)
    newer = StoredKey(KeyKind.DOCUMENTS, "newer", NOON, NOON + 1, NOON + 9, bytes(32))
    provider.save(newer)
    provider.save(KEY)

    assert FileKeyProvider(folder).load(KeyKind.DOCUMENTS) == (KEY, newer)


def test_files_are_for_the_owner_only(folder: Path) -> None:
    FileKeyProvider(folder).save(KEY)

    assert (folder / "documents").stat().st_mode & 0o777 == 0o700
    assert (folder / "documents" / "some-key.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(folder: Path, mode: int) -> None:
    provider = FileKeyProvider(folder)
    provider.save(KEY)
    (folder / "documents" / "some-key.json").chmod(mode)

    with pytest.raises(KeyStoreError, match="others can read"):
        provider.load(KeyKind.DOCUMENTS)


def test_a_folder_that_others_can_enter_is_refused(folder: Path) -> None:
    provider = FileKeyProvider(folder)
    provider.save(KEY)
    (folder / "documents").chmod(0o755)

    with pytest.raises(KeyStoreError, match="others can read"):
        provider.load(KeyKind.DOCUMENTS)


def test_a_link_is_not_followed(folder: Path, tmp_path: Path) -> None:
    provider = FileKeyProvider(folder)
    provider.save(KEY)
    path = folder / "documents" / "some-key.json"
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")

    with pytest.raises(KeyStoreError, match="cannot read"):
        provider.load(KeyKind.DOCUMENTS)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "exchange"},
        {"id": "other"},
        {"secret": "AAAA"},
        {"secret": 5},
        {"more": 1},
    ],
)
def test_a_damaged_key_file_is_refused(folder: Path, change: dict[str, object]) -> None:
    provider = FileKeyProvider(folder)
    provider.save(KEY)
    path = folder / "documents" / "some-key.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))

    with pytest.raises(KeyStoreError, match="some-key"):
        provider.load(KeyKind.DOCUMENTS)


def test_nothing_is_left_beside_the_files(folder: Path) -> None:
    provider = FileKeyProvider(folder)
    provider.save(KEY)
    provider.publish(Published.TRUST, b"{}")
    provider.publish(Published.TRUST, b"[]")

    names = sorted(path.name for path in folder.rglob("*") if path.is_file())
    assert names == ["some-key.json", "trust.json"]
    assert provider.read_published(Published.TRUST) == b"[]"


def test_a_secret_shows_nowhere(folder: Path) -> None:
    key = StoredKey(KeyKind.DOCUMENTS, "k", NOON, NOON, None, b"very secret bytes, 32 of them !!")

    assert "very secret" not in repr(key)


def test_the_exchange_reads_its_own_folders_only(folder: Path) -> None:
    provider = ready_provider(folder)
    for name in ("root", "documents", "published"):
        (folder / name).rename(folder / f"{name}-away")

    keys = ExchangeKeys.open(provider, entropy=Entropy("x"), now=NOON)

    assert keys.exchange.current(NOON).kid
    with pytest.raises(KeyStoreError, match="documents"):
        PortalKeys.open(provider, entropy=Entropy("x"), now=NOON)


def test_the_portal_reads_its_own_folders_only(folder: Path) -> None:
    provider = ready_provider(folder)
    for name in ("root", "exchange", "sealing-keys"):
        (folder / name).rename(folder / f"{name}-away")

    keys = PortalKeys.open(provider, entropy=Entropy("x"), now=NOON)

    assert keys.documents.current(NOON).kid
    with pytest.raises(KeyStoreError, match="exchange"):
        ExchangeKeys.open(provider, entropy=Entropy("x"), now=NOON)


def test_a_key_that_somebody_else_added_is_found_at_once(folder: Path) -> None:
    provider = ready_provider(folder)
    ring = KeyRing(provider, KeyKind.DOCUMENTS)

    FileKeyProvider(folder).save(KEY)

    assert ring.find("some-key") == KEY
