"""Stores of earlier versions, as those wrote them, go on in this one."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.keystore import records
from plugin.keystore.records import (
    Contents,
    KeyRecord,
    ProgramRecord,
    RemovalRecord,
    StoreDamagedError,
)
from plugin.paths import Paths
from tests.plugin.test_store import keep_identity, open_store

FIRST_VERSION = Path(__file__).with_name("store_v1")
WORDS = ("display", "promote", "unlock", "frog")


@pytest.fixture
def first(paths: Paths) -> Paths:
    """The folder of a device with one key and one unfinished exchange."""
    shutil.copytree(FIRST_VERSION, paths.data_dir)
    return paths


def test_a_store_of_the_first_version_is_read(first: Paths) -> None:
    before = first.store.read_bytes()
    contents = open_store(first).read()
    assert [key.words for key in contents.keys] == [WORDS]
    assert contents.version == records.STORE_VERSION
    key = contents.keys[0]
    assert (key.exchange, key.reserved, key.proven, key.book) == (None, 0, None, None)
    assert contents.tokens == {}
    assert contents.programs == ()
    (pending,) = contents.pending
    assert (pending.kind, pending.replaces) == ("document", None)
    assert pending.pending().activation == pending.activation
    assert first.store.read_bytes() == before


def test_the_next_change_writes_this_version(first: Paths) -> None:
    before = open_store(first).read()
    open_store(first).change(keep_identity)
    after = open_store(first).read()
    assert after == keep_identity(before)
    assert records.decode(records.encode(after)) == after
    assert b'"version":3' in records.encode(after)


def of_second_version(contents: Contents) -> bytes:
    """These contents as the second version wrote them."""
    known = json.loads(records.encode(contents))
    del known["unwanted"], known["removals"]
    return json.dumps({**known, "version": 2}, separators=(",", ":"), sort_keys=True).encode()


def test_a_store_of_the_second_version_is_read(first: Paths) -> None:
    contents = open_store(first).read()
    again = records.decode(of_second_version(contents))
    assert again == contents
    assert (again.version, again.unwanted, again.removals) == (3, (), ())


@pytest.mark.parametrize("version", [1, 2])
def test_what_an_earlier_version_did_not_know_is_damage_there(version: int) -> None:
    third = records.encode(Contents())
    with pytest.raises(StoreDamagedError):
        records.decode(third.replace(b'"version":3', b'"version":%d' % version))


@pytest.mark.parametrize("version", [0, 4, -1])
def test_other_versions_are_left_alone(version: int) -> None:
    other = records.encode(msgspec.structs.replace(Contents(), version=version))
    with pytest.raises(StoreDamagedError, match=f"version {version}"):
        records.decode(other)


_texts = st.text(max_size=9)
_times = st.integers(0, 2**53)
_maybe_times = st.none() | _times
_keys = st.builds(
    KeyRecord,
    *[_texts] * 9,
    st.none() | _texts,
    _times,
    st.none() | _texts,
    _times,
    _maybe_times,
    _maybe_times,
    st.booleans(),
)
_programs = st.builds(ProgramRecord, *[_texts] * 6, _times)
_removals = st.builds(
    RemovalRecord,
    *[_texts] * 4,
    _times,
    st.lists(_texts, max_size=2).map(tuple),
    _times,
    _maybe_times,
)


@given(
    st.builds(
        Contents,
        tokens=st.dictionaries(_texts, _texts, max_size=2),
        keys=st.lists(_keys, max_size=2).map(tuple),
        programs=st.lists(_programs, max_size=2).map(tuple),
        unwanted=st.lists(_keys, max_size=2).map(tuple),
        removals=st.lists(_removals, max_size=2).map(tuple),
    )
)
def test_what_later_versions_add_survives_its_encoding(contents: Contents) -> None:
    assert records.decode(records.encode(contents)) == contents
