"""A whole service without its listeners: database, keys, clock, and Ann and Bob in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest
from sqlalchemy import select, text

from app.activation.services import Issued, ensure_services, issue
from app.clock import FixedClock, seconds
from app.config import Config, ExchangeConfig, PortalConfig, portal_config
from app.database import Database
from app.exchange.packets import PacketService
from app.exchange.services import ExchangeService
from app.keystore.key_sets import init_keys, published_key_set
from app.keystore.provider import FileKeyProvider
from app.keystore.rings import ExchangeKeys, PortalKeys
from app.mailservers.server import VouchedBy
from app.models import AccountService, Base, MailAccount, Person
from protocol.activation import VerifiedDocument, document_prs, open_document
from protocol.handshake import (
    Context,
    DeviceDescription,
    Established,
    GrantName,
    Initiator,
    Pending,
)
from protocol.signing import SigningKey
from protocol.trust import KeySet, TrustedIssuer
from tests.peers.postgresql import Cluster

NOON = 1_800_000_000_000_000
ADDRESS = "192.0.2.7"


class Entropy:
    """Random bytes that are the same in every run of a test."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return hashlib.shake_256(f"{self._seed} {self._count}".encode()).digest(length)


@dataclass(frozen=True)
class Owner:
    """A person with one proven mail account."""

    person_id: str
    account_id: str
    address: str
    services: dict[str, str]


@dataclass
class Handset:
    """A device: its identity key and what it says about itself."""

    name: str
    identity: SigningKey
    entropy: Callable[[int], bytes]

    def offer(self, service: Service, document: bytes) -> Offer:
        """Verify a document and prepare the init."""
        key_set = service.key_set()
        verified = open_document(document, [TrustedIssuer(service.config.issuer, key_set)])
        claims = verified.document
        initiator = Initiator(
            Context(claims.iss, claims.jti, bound_jkt=claims.jkt),
            document_prs(verified.raw, [grant.password for grant in claims.grants]),
            exchange_keys=key_set.exchange_keys(claims.exchange),
            entropy=self.entropy,
        )
        return Offer(self, verified, initiator, initiator.init())


@dataclass
class Offer:
    """One run as the device sees it; ``init`` is the exact body."""

    handset: Handset
    verified: VerifiedDocument
    initiator: Initiator
    init: bytes

    def pending(self, reply: bytes) -> Pending:
        """Take the reply; the result's ``confirm`` is the exact body to send."""
        claims = self.verified.document
        return self.initiator.receive_reply(
            reply,
            identity=self.handset.identity,
            device=DeviceDescription(self.handset.name, "Linux", "handfast 0.1"),
            grants=[
                GrantName(grant.id, grant.account, grant.service, grant.service_uid)
                for grant in claims.grants
            ],
            sub=claims.sub,
        )


@dataclass
class Service:
    """Both roles of the Internet Service over one database."""

    database: Database
    clock: FixedClock
    config: PortalConfig
    provider: FileKeyProvider
    entropy: Callable[[int], bytes] = field(default_factory=lambda: Entropy("service"))
    tickets: int = 0

    def __post_init__(self) -> None:
        init_keys(
            self.provider,
            issuer=self.config.issuer,
            exchange_url=self.config.exchange_url,
            now=self.clock.now(),
            entropy=self.entropy,
        )
        now = self.clock.now()
        self.keys = PortalKeys.open(self.provider, entropy=self.entropy, now=now)
        self.exchange_keys = ExchangeKeys.open(self.provider, entropy=self.entropy, now=now)
        self.exchange = self.new_exchange()
        self.packets = self.new_packets()
        self.ann = self.add_person("ann")
        self.bob = self.add_person("bob")

    @property
    def exchange_config(self) -> ExchangeConfig:
        """The same settings as the key exchange service reads them."""
        shared = {one.name: getattr(self.config, one.name) for one in fields(Config)}
        return ExchangeConfig(**shared, rotate_days=90, confirm_hours=24)

    def new_exchange(self) -> ExchangeService:
        """Start a further exchange process, so to speak."""
        return ExchangeService(
            self.database,
            self.exchange_keys,
            config=self.exchange_config,
            clock=self.clock,
            entropy=self.entropy,
        )

    def new_packets(self) -> PacketService:
        """The packets' part of a further exchange process."""
        return PacketService(
            self.database,
            self.exchange_keys,
            config=self.exchange_config,
            clock=self.clock,
            entropy=self.entropy,
        )

    def add_person(self, name: str) -> Owner:
        """Add a person with a proven account and its three services."""
        now, address = self.clock.now(), f"{name}@example.org"
        with self.database.write() as session:
            session.add(Person(id=f"person-{name}", created_at=now))
            session.flush()
            session.add(
                MailAccount(
                    id=f"account-{name}",
                    person_id=f"person-{name}",
                    address=address,
                    proven_at=now,
                    vouched_by=VouchedBy.PIN,
                    host="mail.example.org",
                    port=993,
                    security="tls",
                    username=address,
                    checked_at=now,
                    created_at=now,
                )
            )
            session.flush()
            ensure_services(session, f"account-{name}", shard=0, now=now, entropy=self.entropy)
        with self.database.read() as session:
            rows = session.execute(
                select(AccountService.service, AccountService.id).where(
                    AccountService.account_id == f"account-{name}"
                )
            )
            services = {row.service: row.id for row in rows}
        return Owner(f"person-{name}", f"account-{name}", address, services)

    def key_set(self) -> KeySet:
        """Return what devices know of the keys."""
        key_set = published_key_set(self.provider, now=self.clock.now())
        assert key_set is not None
        return key_set

    def issue(
        self,
        owner: Owner,
        *services: str,
        ticket: str | None = None,
        bound_jkt: str | None = None,
    ) -> Issued:
        """Issue a document for the named services (mail, if none is named)."""
        if ticket is None:
            self.tickets += 1
            ticket = f"{self.tickets:022d}"
        return issue(
            self.database,
            person_id=owner.person_id,
            account_service_ids=[owner.services[name] for name in services or ("mail",)],
            ticket=ticket,
            now=self.clock.now(),
            entropy=self.entropy,
            keys=self.keys,
            config=self.config,
            bound_jkt=bound_jkt,
        )

    def handset(self, name: str = "Ann's laptop") -> Handset:
        """Make a device with an identity key of its own."""
        entropy = Entropy(name)
        return Handset(name, SigningKey.generate(entropy=entropy), entropy)

    def activate(self, handset: Handset, document: bytes) -> Established:
        """Run the whole exchange."""
        offer = handset.offer(self, document)
        pending = offer.pending(self.exchange.init(offer.init))
        return pending.receive_complete(self.exchange.confirm(pending.confirm, address=ADDRESS))

    @property
    def now_seconds(self) -> int:
        """The time on the wire."""
        return seconds(self.clock.now())


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands at one moment until a test moves it."""
    return FixedClock(NOON)


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    """An SQLite file, set up as in production but less patient."""
    database = Database(f"sqlite:///{tmp_path / 'handfast.sqlite3'}", busy_seconds=0.5)
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def shared_postgresql(postgresql_cluster: Cluster) -> Iterator[Database]:
    """One PostgreSQL database with the tables: a new one for each test would take a second."""
    with postgresql_cluster.database() as url:
        database = Database(url)
        Base.metadata.create_all(database.engine)
        yield database
        database.dispose()


@pytest.fixture
def postgresql_database(shared_postgresql: Database) -> Database:
    """An empty PostgreSQL database."""
    with shared_postgresql.write_connection() as connection:
        # No trigger fires for a replica's own copy of the work: the audit cannot be emptied else.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    return shared_postgresql


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)],
)
def database(request: pytest.FixtureRequest) -> Database:
    """The database, once as SQLite and once as PostgreSQL."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def service(database: Database, clock: FixedClock, tmp_path: Path) -> Service:
    """The service over either database."""
    return make_service(database, clock, tmp_path)


@pytest.fixture
def sqlite_service(sqlite_database: Database, clock: FixedClock, tmp_path: Path) -> Service:
    """The service over SQLite, for what only SQLite can show."""
    return make_service(sqlite_database, clock, tmp_path)


def make_service(database: Database, clock: FixedClock, folder: Path) -> Service:
    """Build the service with fresh keys in a folder."""
    config = portal_config({"HANDFAST_STATE_DIR": str(folder)})
    return Service(database, clock, config, FileKeyProvider(config.keys_dir))
