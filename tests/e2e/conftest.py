"""What every end-to-end test shares: an authority for TLS, and the driver of the browser."""

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import Playwright, sync_playwright


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority that test machines trust beside the usual ones."""
    return trustme.CA()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started
