"""What every end-to-end test shares: authorities, a mail server, and the driver of the browser."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Browser, Playwright, sync_playwright

from demo.browser import FLAGS, find, sandbox_flags, trust_authority
from tests.e2e.main_job.installation import PASSWORDS
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.dovecot import DovecotServer, dovecot


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """The certificate authority that test machines trust beside the usual ones."""
    return trustme.CA()


@pytest.fixture(scope="session")
def mail_authority() -> Iterator[CertificateAuthority]:
    """Who vouches for the mail server, and for nobody else."""
    with certificate_authority() as authority:
        yield authority


@pytest.fixture(scope="session")
def mail_server(mail_authority: CertificateAuthority) -> Iterator[DovecotServer]:
    """Dovecot with the mailboxes of Ann, who has two, and Bob; a test brings its own pins to it."""
    with dovecot(PASSWORDS, mail_authority.issue("localhost")) as server:
        yield server


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
