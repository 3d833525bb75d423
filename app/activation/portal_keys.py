"""The portal's own keys, loaded when the first document is issued."""

from __future__ import annotations

from typing import Final, cast

from flask import current_app

from app.extensions import handfast
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys

NAME: Final = "handfast-portal-keys"


def portal_keys() -> PortalKeys:
    """Return the keys to sign and seal with, or raise KeyStoreError."""
    keys = current_app.extensions.get(NAME)
    if keys is None:
        here = handfast()
        keys = PortalKeys.open(
            FileKeyProvider(here.config.keys_dir), entropy=here.entropy, now=here.clock.now()
        )
        current_app.extensions[NAME] = keys
    return cast(PortalKeys, keys)
