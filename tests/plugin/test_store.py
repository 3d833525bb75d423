"""The key store: sealed, whole, one writer at a time, and honest when it does not open."""

import importlib
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keyring
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend

from plugin.errors import ExitCode, UserError
from plugin.keystore import records
from plugin.keystore.records import Contents, StoreDamagedError
from plugin.keystore.sealing import real_keyring
from plugin.keystore.store import MAGIC, Store, split
from plugin.paths import Paths

SECRET = "c2VjcmV0LXNlZWQtdGhhdC1ub2JvZHktbWF5LXNlZQ"


def no_passphrase() -> str:
    raise AssertionError("a passphrase was asked for")


def open_store(
    paths: Paths, ask: Callable[[], str] = no_passphrase, lock_wait: float = 0.1
) -> Store:
    return Store(paths, entropy=os.urandom, ask_passphrase=ask, lock_wait=lock_wait)


def keep_identity(contents: Contents) -> Contents:
    return msgspec.structs.replace(contents, identities={"https://localhost": SECRET})


@pytest.fixture
def store(paths: Paths) -> Store:
    store = open_store(paths)
    store.change(keep_identity)
    return store


def test_an_absent_store_is_empty_and_reading_makes_nothing(paths: Paths) -> None:
    assert open_store(paths).read() == Contents()
    assert not paths.data_dir.exists()


def test_what_was_written_is_read_by_another_process(store: Store, paths: Paths) -> None:
    assert open_store(paths).read() == store.read()
    assert store.read().identities == {"https://localhost": SECRET}


def test_the_file_is_private_and_holds_no_secret(store: Store, paths: Paths) -> None:
    assert stat.S_IMODE(paths.store.stat().st_mode) == 0o600
    assert stat.S_IMODE(paths.data_dir.stat().st_mode) == 0o700
    for file in paths.data_dir.iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_no_secret_is_in_any_repr(store: Store) -> None:
    assert SECRET not in repr(store.read()) + repr(store)


def test_every_altered_byte_is_noticed(store: Store, paths: Paths) -> None:
    good = paths.store.read_bytes()
    for position in range(0, len(good), 5):
        bad = bytearray(good)
        bad[position] ^= 1
        paths.store.write_bytes(bytes(bad))
        with pytest.raises(UserError) as refused:
            open_store(paths).read()
        assert refused.value.exit_code is ExitCode.STORE
    paths.store.write_bytes(good)
    assert open_store(paths).read() == store.read()


@pytest.mark.parametrize("length", [0, 1, 20, -1])
def test_a_cut_store_is_damaged_and_never_overwritten(
    length: int, store: Store, paths: Paths
) -> None:
    cut = paths.store.read_bytes()[:length]
    paths.store.write_bytes(cut)
    with pytest.raises(UserError, match="damaged"):
        open_store(paths).change(keep_identity)
    assert paths.store.read_bytes() == cut


def test_without_its_key_file_the_store_stays_shut(store: Store, paths: Paths) -> None:
    (key_file,) = paths.data_dir.glob("store.*.key")
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key_file.unlink()
    with pytest.raises(UserError, match="key file") as refused:
        open_store(paths).read()
    assert refused.value.exit_code is ExitCode.STORE


def test_the_key_of_another_store_does_not_open_it(store: Store, paths: Paths) -> None:
    (key_file,) = paths.data_dir.glob("store.*.key")
    key_file.write_text("A" * 43)
    with pytest.raises(UserError, match="damaged"):
        open_store(paths).read()


def test_a_store_in_use_by_another_process_is_not_changed(store: Store, paths: Paths) -> None:
    program = "import fcntl,sys; f=open(sys.argv[1]); fcntl.flock(f,2); print(flush=True); input()"
    command = [sys.executable, "-c", program, str(paths.store_lock)]
    before = paths.store.read_bytes()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(UserError, match="in use") as refused:
            open_store(paths).change(lambda _contents: Contents())
        assert open_store(paths).read() == store.read()
        holder.kill()
    assert refused.value.exit_code is ExitCode.STORE
    assert paths.store.read_bytes() == before
    open_store(paths).change(lambda _contents: Contents())


def test_parallel_changes_are_all_kept(paths: Paths) -> None:
    program = (
        "import os,sys,msgspec; from plugin.paths import Paths\n"
        "from plugin.keystore.store import Store\n"
        "store = Store(Paths.from_environment(), entropy=os.urandom, ask_passphrase=input)\n"
        "for n in range(10):\n"
        "    store.change(lambda c: msgspec.structs.replace(\n"
        "        c, used={**c.used, f'{sys.argv[1]}-{n}': 1}))\n"
    )
    environment = {**os.environ, "HANDFAST_HOME": str(paths.data_dir.parent)}
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(number)], env=environment)
        for number in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    assert len(open_store(paths).read().used) == 40


def test_a_folder_that_cannot_be_written_keeps_the_old_store(
    store: Store, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.read()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left") as refused:
        store.change(lambda _contents: Contents())
    assert refused.value.exit_code is ExitCode.STORE
    assert open_store(paths).read() == before
    assert not list(paths.data_dir.glob(".store.*"))


def test_a_passphrase_replaces_the_key_file(store: Store, paths: Paths) -> None:
    store.set_passphrase("correct horse")
    assert not list(paths.data_dir.glob("store.*.key"))
    assert open_store(paths, lambda: "correct horse").read() == store.read()
    with pytest.raises(UserError, match="passphrase does not open") as refused:
        open_store(paths, lambda: "wrong horse").read()
    assert refused.value.exit_code is ExitCode.STORE


def test_the_passphrase_is_asked_once(store: Store, paths: Paths) -> None:
    store.set_passphrase("correct horse")
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return "correct horse"

    again = open_store(paths, ask)
    again.read()
    again.change(keep_identity)
    assert asked == ["asked"]


def test_without_a_passphrase_again(store: Store, paths: Paths) -> None:
    store.set_passphrase("correct horse")
    store.set_passphrase(None)
    assert open_store(paths).read() == store.read()


def test_key_files_that_no_store_needs_are_removed(store: Store, paths: Paths) -> None:
    stray = paths.data_dir / f"store.{'A' * 22}.key"
    stray.write_text("A" * 43)
    store.set_passphrase("correct horse")
    assert list(paths.data_dir.glob("store.*.key")) == []


def test_keyrings_that_only_look_like_one_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fail", "null"):
        backend = importlib.import_module(f"keyring.backends.{name}").Keyring()
        monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
        assert real_keyring() is None


def test_a_real_keyring_holds_the_key_instead_of_a_file(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: dict[tuple[str, str], str] = {}

    class SystemKeyring(KeyringBackend):
        """Stands in for the desktop's service at the edge of this process."""

        priority = 1

        def set_password(self, service: str, username: str, password: str) -> None:
            held[service, username] = password

        def get_password(self, service: str, username: str) -> str | None:
            return held.get((service, username))

        def delete_password(self, service: str, username: str) -> None:
            del held[service, username]

    SystemKeyring.__module__ = "keyring.backends.SecretService"
    make: Callable[[], KeyringBackend] = SystemKeyring
    backend = make()
    monkeypatch.setattr("keyring.core._keyring_backend", backend)
    at_home = replace(paths, portable=False)
    open_store(at_home).change(keep_identity)
    assert len(held) == 1
    assert not list(paths.data_dir.glob("*.key"))
    assert open_store(at_home).read().identities == {"https://localhost": SECRET}
    open_store(at_home).set_passphrase("correct horse")
    assert held == {}


@given(st.binary(max_size=300))
def test_any_bytes_are_a_store_or_damaged(data: bytes) -> None:
    for untrusted in (data, MAGIC + data):
        try:
            _protection, line, sealed = split(untrusted)
        except StoreDamagedError:
            continue
        assert line + sealed == untrusted


_texts = st.text(max_size=20)
_contents = st.builds(
    Contents,
    identities=st.dictionaries(_texts, _texts, max_size=3),
    used=st.dictionaries(_texts, st.integers(0, 2**53), max_size=3),
    pending=st.lists(
        st.builds(records.PendingRecord, _texts, _texts, _texts, st.integers(0, 2**53), _texts)
    ).map(tuple),
)


@given(_contents)
def test_contents_survive_their_encoding(contents: Contents) -> None:
    assert records.decode(records.encode(contents)) == contents


@given(_contents, st.data())
def test_altered_contents_decode_to_the_same_bytes_or_are_damaged(
    contents: Contents, data: st.DataObject
) -> None:
    encoded = bytearray(records.encode(contents))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] = data.draw(st.integers(0, 255))
    try:
        decoded = records.decode(bytes(encoded))
    except StoreDamagedError:
        return
    assert records.encode(decoded) == bytes(encoded)


@given(st.binary(max_size=200))
def test_any_bytes_are_contents_or_damaged(data: bytes) -> None:
    try:
        decoded = records.decode(data)
    except StoreDamagedError:
        return
    assert records.encode(decoded) == data


def test_the_lock_is_never_a_link(paths: Paths, tmp_path: Path) -> None:
    paths.data_dir.mkdir(parents=True)
    target = tmp_path / "target"
    paths.store_lock.symlink_to(target)
    with pytest.raises(UserError):
        open_store(paths).change(keep_identity)
    assert not target.exists()
