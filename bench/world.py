"""A service's database and keys in a folder, with people in it."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import select

from app import schema
from app.activation.services import ensure_services
from app.clock import SystemClock
from app.config import PortalConfig, portal_config
from app.database import Database
from app.keystore.key_sets import init_keys, published_key_set
from app.keystore.provider import FileKeyProvider
from app.mailservers.server import VouchedBy
from app.models import AccountService, MailAccount, Person
from app.models.base import new_id
from protocol.trust import KeySet


@dataclass(frozen=True)
class Owner:
    """A person and the one service that is activated."""

    person_id: str
    service_id: str


@dataclass(frozen=True)
class World:
    """Where it is, who is in it, and what devices know of its keys."""

    folder: Path
    owners: tuple[Owner, ...]
    key_set: KeySet
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What a server over it needs."""
        return {
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "HANDFAST_STATE_DIR": str(self.folder),
            **self.settings,
        }


def build(folder: Path, people: int, settings: Mapping[str, str] = MappingProxyType({})) -> World:
    """Migrate, make keys, add people with one proven account each."""
    config = portal_config({"HANDFAST_STATE_DIR": str(folder), **settings})
    now, provider = SystemClock().now(), FileKeyProvider(config.keys_dir)
    init_keys(
        provider,
        issuer=config.issuer,
        exchange_url=config.exchange_url,
        now=now,
        entropy=os.urandom,
    )
    key_set = published_key_set(provider, now=now)
    assert key_set is not None
    with database_of(config) as database:
        schema.upgrade(database)
        owners = add_people(database, people, now=now)
    return World(folder, owners, key_set, settings)


@contextmanager
def database_of(config: PortalConfig) -> Iterator[Database]:
    """Yield the database and close it."""
    database = Database(config.database_url)
    try:
        yield database
    finally:
        database.dispose()


def add_people(database: Database, count: int, *, now: int) -> tuple[Owner, ...]:
    """Add people, each with an account whose mail service can be activated."""
    accounts: dict[str, str] = {}
    with database.write() as session:
        for number in range(count):
            person_id, account_id = new_id(os.urandom), new_id(os.urandom)
            accounts[account_id] = person_id
            session.add(Person(id=person_id, created_at=now))
            session.flush()
            session.add(proven_account(account_id, person_id, f"p{number}@example.org", now))
            session.flush()
            ensure_services(session, account_id, shard=0, now=now, entropy=os.urandom)
    mail = select(AccountService).where(AccountService.service == "mail")
    with database.read() as session:
        return tuple(
            Owner(accounts[service.account_id], service.id) for service in session.scalars(mail)
        )


def proven_account(account_id: str, person_id: str, address: str, now: int) -> MailAccount:
    """An account as a sign-in leaves it."""
    return MailAccount(
        id=account_id,
        person_id=person_id,
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
