"""A portal with a real mail server behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme

from app.extensions import of
from app.models import MailPin
from tests.app.portal_fixtures import PASSWORDS
from tests.e2e.pages.serving import Served, serving
from tests.peers.ca import certificate_authority
from tests.peers.pymap_server import pymap_server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Served]:
    """The portal; example.org is pinned to a mail server with mailboxes for Ann and Bob."""
    folder = tmp_path_factory.mktemp("portal")
    with (
        certificate_authority() as mail_ca,
        pymap_server(PASSWORDS, mail_ca.issue("127.0.0.1")) as server,
        serving(folder, authority) as found,
    ):
        with of(found.seeded.app).database.write() as session:
            session.merge(
                MailPin(
                    domain="example.org",
                    host=server.host,
                    port=server.port,
                    security="tls",
                    username_form="address",
                    credential="password",
                    ca_pem=mail_ca.pem,
                    created_at=0,
                )
            )
        yield found
        of(found.seeded.app).close()
