"""One installation with a real mail server for two domains, and a fresh device for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.e2e.main_job.installation import Installation, Pin, installation
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.dovecot import DovecotServer, dovecot
from tests.plugin.client import Client

ANN, ANN_AT_WORK, BOB = "ann@example.org", "ann@example.com", "bob@example.org"
PASSWORDS = {ANN: "correct horse", ANN_AT_WORK: "staple battery", BOB: "battery staple"}


@pytest.fixture(scope="package")
def mail_authority() -> Iterator[CertificateAuthority]:
    with certificate_authority() as authority:
        yield authority


@pytest.fixture(scope="package")
def mail_server(mail_authority: CertificateAuthority) -> Iterator[DovecotServer]:
    with dovecot(PASSWORDS, mail_authority.issue("localhost")) as server:
        yield server


@pytest.fixture(scope="package")
def portal(
    authority: trustme.CA,
    mail_authority: CertificateAuthority,
    mail_server: DovecotServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """Portal and exchange as an operator starts them, and Dovecot behind their pins."""
    pem = mail_authority.folder / "authority.pem"
    pem.write_text(mail_authority.pem, encoding="ascii")
    pins = [Pin(domain, mail_server.tls_port, pem) for domain in ("example.org", "example.com")]
    with installation(tmp_path_factory.mktemp("thick"), authority, None, pins) as portal:
        yield portal


@pytest.fixture
def client(portal: Installation, tmp_path: Path) -> Client:
    """A device that trusts the portal by its fingerprint."""
    return new_client(portal, tmp_path / "device")


def new_client(portal: Installation, folder: Path) -> Client:
    """Return a new device that trusts the portal."""
    folder.mkdir()
    client = Client(folder)
    authority = ("--ca-file", str(portal.certificates.authority))
    by = ("--fingerprint", portal.fingerprint)
    done = client.run("trust", "add", portal.issuer, *authority, *by)
    assert done.status == 0, done.stderr
    return client
