"""The published key set: versions, notice before use, overlap after it, and an absent root."""

from pathlib import Path

import pytest

from app.clock import DAY, seconds
from app.keystore.key_sets import (
    init_keys,
    list_keys,
    publish,
    published_key_set,
    published_until,
    rotate,
    trust_bundle,
)
from app.keystore.provider import FileKeyProvider, KeyKind, KeyStoreError, Published
from app.keystore.rings import KeyRing
from protocol.signing import VerifyKey
from protocol.trust import KeySet, TrustBundle, verify_key_set
from tests.app.keystore.ready import EXCHANGE_URL, ISSUER, ready_provider
from tests.app.service_fixtures import NOON, Entropy


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    """Every key, made and published at noon."""
    return ready_provider(tmp_path / "keys")


def republish(provider: FileKeyProvider, now: int) -> KeySet:
    return publish(provider, issuer=ISSUER, exchange_url=EXCHANGE_URL, now=now)


def test_init_publishes_what_devices_accept(provider: FileKeyProvider) -> None:
    signed = provider.read_published(Published.KEY_SET)
    trust = provider.read_published(Published.TRUST)
    assert signed is not None
    assert trust is not None

    key_set = verify_key_set(signed, TrustBundle.from_json(trust), now=seconds(NOON))

    assert key_set.iss == ISSUER
    assert len(key_set.documents) == 1
    assert [exchange.url for exchange in key_set.exchanges] == [EXCHANGE_URL]
    assert key_set.exp - key_set.iat == 90 * 24 * 3600


def test_init_again_keeps_the_keys(provider: FileKeyProvider) -> None:
    before = {key.id for key in list_keys(provider, now=NOON)}

    init_keys(
        provider, issuer=ISSUER, exchange_url=EXCHANGE_URL, now=NOON, entropy=Entropy("again")
    )

    assert {key.id for key in list_keys(provider, now=NOON)} == before


def test_init_makes_no_second_root_while_the_first_is_away(
    provider: FileKeyProvider, tmp_path: Path
) -> None:
    (tmp_path / "keys" / "root").rename(tmp_path / "stick")

    with pytest.raises(KeyStoreError, match="root key is not here"):
        init_keys(
            provider, issuer=ISSUER, exchange_url=EXCHANGE_URL, now=NOON, entropy=Entropy("again")
        )


def test_init_makes_no_root_beside_the_keys_of_one_process(
    provider: FileKeyProvider, tmp_path: Path
) -> None:
    for absent in ("root", "documents", "published"):
        (tmp_path / "keys" / absent).rename(tmp_path / absent)

    with pytest.raises(KeyStoreError, match="root key is not here"):
        init_keys(
            provider, issuer=ISSUER, exchange_url=EXCHANGE_URL, now=NOON, entropy=Entropy("again")
        )


def test_a_root_on_a_stick_publishes(provider: FileKeyProvider, tmp_path: Path) -> None:
    (tmp_path / "keys" / "root").rename(tmp_path / "stick")
    with pytest.raises(KeyStoreError, match="root key is not here"):
        republish(provider, NOON)

    with_stick = FileKeyProvider(tmp_path / "keys", root_folder=tmp_path / "stick")

    assert republish(with_stick, NOON).iss == ISSUER


def test_the_version_only_goes_up(provider: FileKeyProvider) -> None:
    days = (0, 5, 0, 0)
    versions = [republish(provider, NOON + day * DAY).version for day in days]

    assert versions == sorted(set(versions))


@pytest.mark.parametrize("kind", [KeyKind.DOCUMENTS, KeyKind.EXCHANGE])
def test_a_new_key_is_public_a_week_before_use_and_the_old_one_after(
    provider: FileKeyProvider, kind: KeyKind
) -> None:
    old = KeyRing(provider, kind).current(NOON)
    new = rotate(provider, kind, now=NOON, entropy=Entropy("new"))

    def public(now: int) -> set[str]:
        key_set = republish(provider, now)
        entries = key_set.documents if kind is KeyKind.DOCUMENTS else key_set.exchanges[0].keys
        return {entry.kid for entry in entries}

    ring = KeyRing(provider, kind)
    assert new.not_before - NOON >= 7 * DAY
    assert public(NOON) == {old.id, new.id}
    assert ring.current(NOON) == provider.load(kind)[0]
    assert ring.current(new.not_before - 1).id == old.id
    assert ring.current(new.not_before).id == new.id
    assert public(new.not_before) == {old.id, new.id}
    assert public(new.not_before + 2 * DAY) == {new.id}


def test_a_stolen_key_is_replaced_at_once(provider: FileKeyProvider) -> None:
    old = KeyRing(provider, KeyKind.DOCUMENTS).current(NOON)
    new = rotate(provider, KeyKind.DOCUMENTS, now=NOON, entropy=Entropy("new"), at_once=True)

    assert KeyRing(provider, KeyKind.DOCUMENTS).current(NOON).id == new.id
    assert old.id not in {entry.kid for entry in republish(provider, NOON).documents}


def test_a_new_root_is_announced_by_the_bundle_before_it_signs(
    provider: FileKeyProvider,
) -> None:
    old = trust_bundle(provider, issuer=ISSUER)
    rotate(provider, KeyKind.ROOT, now=NOON, entropy=Entropy("root"))
    republish(provider, NOON)

    signed = provider.read_published(Published.KEY_SET)
    assert signed is not None
    assert verify_key_set(signed, old, now=seconds(NOON))
    assert len(trust_bundle(provider, issuer=ISSUER).roots) == 2


def test_an_expiring_set_is_seen(provider: FileKeyProvider) -> None:
    until = published_until(provider, now=NOON)

    assert until is not None
    assert until == NOON + 90 * DAY
    assert published_until(provider, now=NOON + 91 * DAY) is None
    assert published_key_set(provider, now=NOON + 91 * DAY) is None


def test_a_lost_key_set_does_not_take_the_version_down(
    provider: FileKeyProvider, tmp_path: Path
) -> None:
    before = republish(provider, NOON).version
    (tmp_path / "keys" / "published" / Published.KEY_SET).unlink()

    assert republish(provider, NOON + 60_000_000).version > before


def test_published_keys_are_public_halves(provider: FileKeyProvider) -> None:
    for entry in republish(provider, NOON).documents:
        assert VerifyKey(entry.x).kid == entry.kid
