"""What every end-to-end test shares: an authority for TLS, and the driver of the browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Browser, Playwright, sync_playwright

from demo.browser import FLAGS, find, sandbox_flags, trust_authority


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority that test machines trust beside the usual ones."""
    return trustme.CA()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(
    playwright: Playwright, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser without the bridge that trusts the authority; each test has its own context."""
    home = tmp_path_factory.mktemp("home")
    with authority.cert_pem.tempfile(dir=str(home)) as certificate:
        trust_authority(home, Path(certificate))
    launched = playwright.chromium.launch(
        executable_path=find(),
        args=[*FLAGS, *sandbox_flags(), "--disable-gpu"],
        env={**os.environ, "HOME": str(home)},
    )
    yield launched
    launched.close()
