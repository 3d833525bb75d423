"""A folder with every key in it."""

from pathlib import Path

from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider
from tests.app.service_fixtures import NOON, Entropy

ISSUER = "https://localhost:8443"
EXCHANGE_URL = "http://localhost:8480"


def ready_provider(folder: Path) -> FileKeyProvider:
    """Make and publish every key."""
    provider = FileKeyProvider(folder)
    entropy = Entropy("keys")
    init_keys(provider, issuer=ISSUER, exchange_url=EXCHANGE_URL, now=NOON, entropy=entropy)
    return provider
