"""One installation with a real mail server for two domains, and a fresh device for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.e2e.main_job.installation import Installation, Pin, installation
from tests.peers.ca import CertificateAuthority
from tests.peers.dovecot import DovecotServer
from tests.plugin.client import Client


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
