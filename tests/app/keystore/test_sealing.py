"""Sealed columns: only here, only unaltered, and with older keys too."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.keystore.key_sets import rotate
from app.keystore.places import key_place, password_place, prs_place, run_place
from app.keystore.provider import KeyKind
from app.keystore.rings import KeyRing
from app.keystore.sealing import Place, Sealer, SealError
from tests.app.keystore.ready import ready_provider
from tests.app.service_fixtures import NOON, Entropy

PLACE = Place("table", "row", "column")


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    """A sealer with one key."""
    provider = ready_provider(tmp_path / "keys")
    return Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy("nonce"))


@pytest.mark.parametrize(
    "place",
    [
        Place("other", "row", "column"),
        Place("table", "other", "column"),
        Place("table", "row", "other"),
        Place("table", "row", "column", version=2),
        Place("tabler", "ow", "column"),
    ],
)
def test_it_opens_in_its_own_place_only(sealer: Sealer, place: Place) -> None:
    sealed = sealer.seal(b"secret", PLACE, now=NOON)

    assert sealer.open(sealed, PLACE) == b"secret"
    with pytest.raises(SealError):
        sealer.open(sealed, place)


def test_no_changed_or_shortened_value_opens(sealer: Sealer) -> None:
    sealed = sealer.seal(b"secret", PLACE, now=NOON)
    damaged = [sealed[:length] for length in range(len(sealed))]
    damaged += [
        sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        for place in range(len(sealed))
    ]

    for value in damaged:
        with pytest.raises(SealError):
            sealer.open(value, PLACE)


def test_the_same_value_is_sealed_differently_each_time(sealer: Sealer) -> None:
    assert sealer.seal(b"x", PLACE, now=NOON) != sealer.seal(b"x", PLACE, now=NOON)


def test_after_a_rotation_old_values_open_and_new_ones_use_the_new_key(tmp_path: Path) -> None:
    provider = ready_provider(tmp_path / "keys")
    sealer = Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy("nonce"))
    before = sealer.seal(b"old", PLACE, now=NOON)
    rotate(provider, KeyKind.SEALING_KEYS, now=NOON + 1, entropy=Entropy("new"))
    elsewhere = Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy("other"))
    after = elsewhere.seal(b"new", PLACE, now=NOON + 1)

    assert before[:8] != after[:8]
    assert sealer.open(after, PLACE) == b"new"
    assert elsewhere.open(before, PLACE) == b"old"


def test_the_two_sealing_keys_do_not_open_each_others_values(tmp_path: Path) -> None:
    provider = ready_provider(tmp_path / "keys")
    grants = Sealer(KeyRing(provider, KeyKind.SEALING_GRANTS), entropy=Entropy("a"))
    keys = Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy("b"))

    with pytest.raises(SealError):
        grants.open(keys.seal(b"session key", PLACE, now=NOON), PLACE)


@given(st.text(), st.text())
def test_no_two_places_share_their_associated_data(one: str, other: str) -> None:
    places = {
        make(name).associated_data()
        for make in (password_place, prs_place, key_place, lambda name: run_place(name, b"run"))
        for name in {one, other}
    }

    assert len(places) == 4 * len({one, other})


def test_a_tag_is_of_one_label_and_these_very_parts(sealer: Sealer) -> None:
    tag = sealer.tag("mail", "ab", "c", at=NOON)

    assert sealer.tag("mail", "ab", "c", at=NOON) == tag
    assert sealer.tag("other", "ab", "c", at=NOON) != tag
    assert sealer.tag("mail", "a", "bc", at=NOON) != tag


def test_a_tag_stays_the_same_when_the_key_was_rotated_since(tmp_path: Path) -> None:
    provider = ready_provider(tmp_path / "keys")
    tag = Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy("")).tag("x", at=NOON)
    later = NOON + 1
    rotate(provider, KeyKind.SEALING_KEYS, now=later, entropy=Entropy("rotated"))
    after = Sealer(KeyRing(provider, KeyKind.SEALING_KEYS), entropy=Entropy(""))

    assert after.tag("x", at=NOON) == tag
    assert after.tag("x", at=later) != tag
