"""A portal with keys to sign with, and a caller of its API."""

from __future__ import annotations

import os

import pytest

from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider
from tests.app.api.caller import Caller
from tests.app.portal_fixtures import Portal


@pytest.fixture
def signing(portal: Portal) -> Portal:
    """The portal, with keys: it can issue documents."""
    init_keys(
        FileKeyProvider(portal.config.keys_dir),
        issuer=portal.config.issuer,
        exchange_url=portal.config.exchange_url,
        now=portal.clock.now(),
        entropy=os.urandom,
    )
    return portal


@pytest.fixture
def caller(signing: Portal) -> Caller:
    """A client that has never been here."""
    return Caller(signing.app)
