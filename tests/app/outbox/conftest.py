"""A submission server for this folder's tests, and the mail room in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.outbox.office import MailRoom, settings
from tests.app.service_fixtures import Service
from tests.peers.ca import CertificateAuthority
from tests.peers.smtp_server import SubmissionServer, submission_server


@pytest.fixture(scope="session")
def ca_file(mail_ca: CertificateAuthority) -> Path:
    """The CA of the tests' mail servers, as a file."""
    path = mail_ca.folder / "mail-ca.pem"
    path.write_text(mail_ca.pem, encoding="ascii")
    return path


@pytest.fixture
def server(mail_ca: CertificateAuthority) -> Iterator[SubmissionServer]:
    """A submission server that takes everything until a test says otherwise."""
    with submission_server(mail_ca.issue("localhost", "127.0.0.1")) as running:
        yield running


@pytest.fixture
def room(service: Service, server: SubmissionServer, ca_file: Path) -> MailRoom:
    """The mail room of a service over either database."""
    return MailRoom(service, settings(server.port, ca_file))


@pytest.fixture
def sqlite_room(sqlite_service: Service, server: SubmissionServer, ca_file: Path) -> MailRoom:
    """The mail room of a service over SQLite, for what is the same on both."""
    return MailRoom(sqlite_service, settings(server.port, ca_file))
