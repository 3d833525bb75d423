"""What the services of staff need from around them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from app.accounts.sessions import Client
from app.keystore.rings import PortalKeys
from app.keystore.sealing import Sealer
from app.staff.passwords import Hasher


@dataclass(frozen=True)
class StaffHere:
    """One moment of one request."""

    now: int
    entropy: Callable[[int], bytes]
    # Read when the first secret is sealed or opened.
    keys: Callable[[], PortalKeys]
    hasher: Hasher
    issuer: str
    service_name: str
    client: Client

    @property
    def sealer(self) -> Sealer:
        """What seals the secrets of staff; raises KeyStoreError where its key is missing."""
        return self.keys().staff

    @property
    def host(self) -> str:
        """The name that passkeys belong to."""
        return urlsplit(self.issuer).hostname or ""
