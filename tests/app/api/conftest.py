"""A portal with keys to sign with, a caller of its API, and a portal that was lived in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider
from tests.app.api.caller import Caller
from tests.app.pages.seeded import Seeded, bare_portal, live_in
from tests.app.portal_fixtures import Portal


@pytest.fixture
def signing(portal: Portal) -> Portal:
    """The portal, with keys: it can issue documents."""
    give_keys(portal)
    return portal


def give_keys(portal: Portal) -> None:
    """Make the keys of a service, as its operator does."""
    init_keys(
        FileKeyProvider(portal.config.keys_dir),
        issuer=portal.config.issuer,
        exchange_url=portal.config.exchange_url,
        now=portal.clock.now(),
        entropy=os.urandom,
    )


@pytest.fixture
def caller(signing: Portal) -> Caller:
    """A client that has never been here."""
    return Caller(signing.app)


@pytest.fixture
def lived_in(tmp_path: Path) -> Iterator[Seeded]:
    """A portal in which Ann has devices, keys and activations."""
    with bare_portal(tmp_path) as seeded:
        live_in(seeded)
        yield seeded


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """One such portal for all tests of a file that do not mind the others."""
    with bare_portal(tmp_path_factory.mktemp("portal")) as seeded:
        live_in(seeded)
        yield seeded
