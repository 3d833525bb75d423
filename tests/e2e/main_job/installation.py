"""A whole Internet Service as an operator starts it, with real mail servers behind its pins."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from sqlalchemy import func, select

from app.activation.stock import stocked_password
from app.clock import SECOND, SystemClock
from app.database import Database
from app.keystore.key_sets import init_keys
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import PortalKeys
from app.models import new_id
from app.models.tables import (
    ACCOUNT_SERVICE,
    ACTIVATION,
    DEVICE,
    MAIL_ACCOUNT,
    SERVICE_GRANT,
    SERVICE_KEY,
)
from app.schema import upgrade
from demo import processes
from demo.certificates import Certificates
from demo.house import House
from protocol import service_uid
from protocol.activation import ActivationDocument, Grant, sign_document
from protocol.trust import TrustBundle
from protocol.words import words
from tests.faults.site import free_port

ANN, ANN_AT_WORK, BOB = "ann@example.org", "ann@example.com", "bob@example.org"
PASSWORDS = {ANN: "correct horse", ANN_AT_WORK: "staple battery", BOB: "battery staple"}
# What these tests need; the first one starts all of it, which takes long on a busy machine.
EVERYTHING = [
    pytest.mark.browser,
    pytest.mark.dovecot,
    pytest.mark.postgresql,
    pytest.mark.timeout(300),
]
# A mail server that says nothing is given up after so long.
PATIENCE_SECONDS = 2


@dataclass(frozen=True)
class Pin:
    """Which mail server serves a domain, and the authority that vouches for it."""

    domain: str
    port: int
    authority: Path
    host: str = "localhost"


@dataclass(frozen=True)
class Installation(House):
    """Portal and exchange in a folder of their own; the people are Dovecot's."""

    database_url: str

    def environment(self) -> dict[str, str]:
        """The settings of every program of this installation."""
        return {
            **super().environment(),
            "DATABASE_URL": self.database_url,
            "HANDFAST_MAIL_CHECK_SECONDS": str(PATIENCE_SECONDS),
        }

    @property
    def fingerprint(self) -> str:
        """What the operator gives to people who are to trust this service."""
        published = self.service / "keys" / "published" / "trust.json"
        return TrustBundle.from_json(published.read_bytes()).fingerprint

    @contextmanager
    def database(self) -> Iterator[Database]:
        """Open the database as a process of its own would."""
        database = Database(self.database_url)
        try:
            yield database
        finally:
            database.dispose()

    def active_words(self, address: str) -> dict[str, str]:
        """Return the words of the newest active keys of an account: service → four words."""
        query = (
            select(ACCOUNT_SERVICE.c.service, SERVICE_KEY.c.fingerprint)
            .join(ACCOUNT_SERVICE, ACCOUNT_SERVICE.c.id == SERVICE_KEY.c.account_service_id)
            .join(MAIL_ACCOUNT, MAIL_ACCOUNT.c.id == ACCOUNT_SERVICE.c.account_id)
            .where(SERVICE_KEY.c.state == "active", MAIL_ACCOUNT.c.address == address)
            .order_by(SERVICE_KEY.c.created_at)
        )
        with self.database() as database, database.read_connection() as connection:
            rows = connection.execute(query).all()
        return {row.service: " ".join(words(row.fingerprint)) for row in rows}

    def issue(self, address: str, *services: str) -> Path:
        """Issue a document without a browser, as an operator does, into a new file."""
        file = self.folder / f"{secrets.token_hex(4)}.handfast"
        wanted = [part for service in services for part in ("--service", service)]
        processes.flask(self, "activation", "issue", address, "--out", str(file), *wanted)
        return file

    def expired_document(self, address: str, *, minutes: int) -> Path:
        """Return a genuine document, in a file, that was good until so many minutes ago."""
        until = SystemClock().now() // SECOND - minutes * 60
        grant = Grant(
            id=new_id(os.urandom),
            account=address,
            service="mail",
            service_uid=service_uid.make(0, entropy=os.urandom),
            password=os.urandom(32),
        )
        document = ActivationDocument(
            iss=self.issuer,
            iat=until - 300,
            exp=until,
            jti=new_id(os.urandom),
            sub=new_id(os.urandom),
            exchange=self.exchange_url,
            grants=(grant,),
        )
        file = self.folder / "expired.handfast"
        key = self._keys().documents.current(SystemClock().now())
        file.write_bytes(sign_document(document, key))
        return file

    def stocked_passwords(self) -> list[bytes]:
        """Return the activation passwords that were made ahead of time and not used yet."""
        query = select(SERVICE_GRANT.c.id).where(SERVICE_GRANT.c.state == "stocked")
        sealer = self._keys().grants
        with self.database() as database, database.read_connection() as connection:
            found = [
                stocked_password(connection, grant_id, sealer=sealer)
                for grant_id in connection.execute(query).scalars().all()
            ]
        return [password for password in found if password is not None]

    def key_provider(self) -> FileKeyProvider:
        """Where the keys of this installation lie."""
        return FileKeyProvider(self.service / "keys")

    def _keys(self) -> PortalKeys:
        now = SystemClock().now()
        return PortalKeys.open(self.key_provider(), entropy=os.urandom, now=now)

    def rows(self) -> dict[str, int]:
        """Count what activations leave behind."""
        tables = (ACTIVATION, SERVICE_GRANT, SERVICE_KEY, DEVICE)
        with self.database() as database, database.read_connection() as connection:
            return {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in tables
            }


@contextmanager
def installation(
    folder: Path, authority: trustme.CA, database_url: str | None, pins: Sequence[Pin]
) -> Iterator[Installation]:
    """Build an installation and run it until the block ends."""
    home = Installation(
        portal_port=free_port(),
        exchange_port=free_port(),
        folder=folder / "installation",
        certificates=certificates(folder, authority),
        passwords=PASSWORDS,
        database_url=database_url or f"sqlite:///{folder}/installation/service/handfast.sqlite3",
    )
    for part in (home.service, home.home):
        part.mkdir(mode=0o700, parents=True)
    prepare(home)
    for pin in pins:
        where = ("--host", pin.host, "--port", str(pin.port), "--ca", str(pin.authority))
        processes.flask(home, "pins", "add", pin.domain, *where)
    with ExitStack() as stack:
        stack.enter_context(processes.portal(home))
        stack.enter_context(processes.exchange(home))
        yield home


def prepare(home: Installation) -> None:
    """Make database and keys, as `db upgrade` and `keys init` do; starting those takes seconds."""
    with home.database() as database:
        upgrade(database)
    init_keys(
        home.key_provider(),
        issuer=home.issuer,
        exchange_url=home.exchange_url,
        now=SystemClock().now(),
        entropy=os.urandom,
    )


def certificates(folder: Path, authority: trustme.CA) -> Certificates:
    """Write a certificate for the portal."""
    made = Certificates(folder / "authority.pem", folder / "chain.pem", folder / "portal.key")
    leaf = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(made.authority)
    made.chain.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(made.key)
    return made
