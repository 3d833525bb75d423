"""A real portal for tests: temporary database and keys, a real mail server, a browser's cookies."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, TypeVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import create_portal
from app.clock import FixedClock, SystemClock
from app.config import PortalConfig, portal_config
from app.database import Database
from app.extensions import Handfast, of
from app.mailservers.names import Names
from app.mailservers.network import Network
from app.models import AuditEntry, Base, MailPin
from tests.peers.ca import CertificateAuthority, certificate_authority
from tests.peers.dns_server import dns_server
from tests.peers.pymap_server import PymapServer, pymap_server

ISSUER = "https://portal.example.test:8443"
ANN, BOB = "ann@example.org", "bob@example.org"
PASSWORDS = {ANN: "correct horse", BOB: "battery staple"}
HOW_OFTEN = 200
Row = TypeVar("Row", bound=Base)


@dataclass
class Browser:
    """A browser as far as a server sees it: cookies, origin, and the forms of the last page."""

    client: FlaskClient
    address: str = "192.0.2.7"
    page: TestResponse | None = field(default=None, repr=False)

    def get(self, path: str, **more: Any) -> TestResponse:
        """Open a page."""
        self.page = self.client.get(path, base_url=ISSUER, **self._from_here(more))
        return self.page

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form of the last page: its token comes along unless the data has another."""
        form = {"csrf_token": self.token(), **(data or {})}
        headers = {"Origin": ISSUER, "Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        more = self._from_here(more)
        self.page = self.client.post(path, base_url=ISSUER, data=form, headers=headers, **more)
        return self.page

    def token(self) -> str:
        """Return the token in the last page's forms."""
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.text())
        return found[1] if found else ""

    def text(self) -> str:
        """Return the last page, entities resolved, without what only lays out its sentences."""
        html = "" if self.page is None else self.page.get_data(as_text=True)
        return unescape(re.sub("</?bdi>|<wbr>", "", html))

    def cookie(self) -> str | None:
        """Return the session cookie's value."""
        found = self.client.get_cookie("__Host-handfast", domain="portal.example.test")
        return None if found is None else found.value

    def give_address(self, address: str, start: str = "/sign-in") -> str:
        """Enter an address and wait for its mail server; returns the check's path."""
        self.get(start)
        answer = self.post(start, {"address": address})
        assert answer.status_code == 303, self.text()
        path = answer.headers["Location"]
        self.wait(path)
        return str(path)

    def give_password(self, path: str, password: str) -> str:
        """Enter a password, wait for the verdict and return the page's text."""
        answer = self.post(f"{path}/credential", {"password": password})
        assert answer.status_code == 303, self.text()
        return self.wait(path)

    def wait(self, path: str) -> str:
        """Open a check's page, as soon as nothing is under way any more."""
        for _ in range(HOW_OFTEN):
            status = self.client.get(
                f"{path}/status", base_url=ISSUER, headers={"Accept": "application/json"}
            )
            if not status.get_json()["working"]:
                break
            time.sleep(0.02)
        self.get(path)
        return self.text()

    def sign_in(self, address: str = ANN, password: str | None = None) -> TestResponse:
        """Sign in as somebody whose mailbox is at the mail server."""
        path = self.give_address(address)
        self.give_password(path, PASSWORDS[address] if password is None else password)
        return self.post(f"{path}/finish")

    def _from_here(self, more: dict[str, Any]) -> dict[str, Any]:
        environ = {"REMOTE_ADDR": self.address, **more.pop("environ_overrides", {})}
        return {**more, "environ_overrides": environ}


@dataclass
class Portal:
    """A running portal and what tests look at behind its back."""

    app: Flask
    clock: FixedClock
    config: PortalConfig

    @property
    def here(self) -> Handfast:
        """Its dependencies."""
        return of(self.app)

    @property
    def database(self) -> Database:
        """Its database."""
        return self.here.database

    def browser(self, address: str = "192.0.2.7") -> Browser:
        """Return a browser that has never been here."""
        return Browser(self.app.test_client(), address)

    def rows(self, model: type[Row]) -> list[Row]:
        """Return every row of a table."""
        with self.database.read() as session:
            return list(session.scalars(select(model)))

    def acts(self, person_id: str | None = None) -> list[str]:
        """Return what the audit has of a person, in order."""
        rows = sorted(self.rows(AuditEntry), key=lambda row: row.id)
        return [row.act for row in rows if person_id in {None, row.subject_id}]

    def pin(self, domain: str, server: PymapServer, ca_pem: str) -> None:
        """Have the operator pin a mail domain to a server."""
        with self.database.write() as session:
            session.merge(
                MailPin(
                    domain=domain,
                    host=server.host,
                    port=server.port,
                    security="tls",
                    username_form="address",
                    credential="password",
                    ca_pem=ca_pem,
                    created_at=self.clock.now(),
                )
            )


@pytest.fixture(scope="session")
def mail_ca() -> Iterator[CertificateAuthority]:
    """The CA of the tests' mail servers."""
    with certificate_authority() as authority:
        yield authority


@pytest.fixture(scope="session")
def mail_server(mail_ca: CertificateAuthority) -> Iterator[PymapServer]:
    """A real mail server with mailboxes for Ann and Bob."""
    with pymap_server(PASSWORDS, mail_ca.issue("127.0.0.1")) as server:
        yield server


@pytest.fixture(scope="session")
def open_network(mail_ca: CertificateAuthority, mail_server: PymapServer) -> Iterator[Network]:
    """A network where a person may name hosts on loopback, and a DNS server that knows them."""
    zone = {
        "imap.mallory.example": ["A 127.0.0.1"],
        "mallory.example": ["MX 10 imap.mallory.example."],
    }
    with dns_server(zone) as dns:
        yield Network(
            names=Names("127.0.0.1", dns.port),
            address_allowed=lambda _: True,
            mail_ports=frozenset(range(1, 65536)),
            https_port=9,
            ca_pem=mail_ca.pem,
        )


@pytest.fixture
def portal(
    tmp_path: Path,
    mail_ca: CertificateAuthority,
    mail_server: PymapServer,
    open_network: Network,
) -> Iterator[Portal]:
    """The portal, with example.org pinned to the mail server."""
    built = build(tmp_path, network=open_network)
    built.pin("example.org", mail_server, mail_ca.pem)
    yield built
    built.here.close()


def build(folder: Path, *, network: Network | None = None, **settings: str) -> Portal:
    """Build a portal over a folder; an existing database is taken as it is."""
    config = portal_config(
        {"HANDFAST_ISSUER": ISSUER, "HANDFAST_STATE_DIR": str(folder), **settings}
    )
    database = Database(config.database_url)
    Base.metadata.create_all(database.engine)
    database.dispose()
    clock = FixedClock(SystemClock().now())
    app = create_portal(config, clock=clock, network=network)
    app.jinja_env.bytecode_cache = _TEMPLATES
    return Portal(app, clock, config)


class _InMemory(BytecodeCache):
    """Templates compiled once for all portals of a test run."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Use what another portal compiled."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next one."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES = _InMemory()
