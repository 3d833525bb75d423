"""The migrations make exactly what the models say, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from app import ROOT, schema
from app.accounts import sessions
from app.audit import canonical_record
from app.clock import HOUR
from app.database import Database
from app.models import AuditEntry, Base
from tests.peers.postgresql import Cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
        yield database
        database.dispose()
        return
    cluster: Cluster = request.getfixturevalue("postgresql_cluster")
    with cluster.database() as url:
        database = Database(url)
        yield database
        database.dispose()


def test_migrations_and_models_agree(empty_database: Database) -> None:
    schema.upgrade(empty_database)
    assert schema.differences(empty_database) == []


def test_upgrading_twice_changes_nothing(empty_database: Database) -> None:
    _, first = schema.upgrade(empty_database)
    before, after = schema.upgrade(empty_database)
    assert before == after == first
    assert schema.is_current(empty_database)


def test_an_empty_database_is_not_current(empty_database: Database) -> None:
    assert not schema.is_current(empty_database)


def test_a_clients_token_is_no_cookie_after_a_downgrade(empty_database: Database) -> None:
    schema.upgrade(empty_database)
    cookie, bearer = sessions.new_token(os.urandom), sessions.new_token(os.urandom)
    start_session(empty_database, cookie, None)
    start_session(empty_database, bearer, sessions.ClientDevice("A" * 43, "Ann's laptop"))

    downgrade(empty_database, "0001")

    # Before tokens of clients were known, whoever knew the token of a row was signed in by it.
    with empty_database.read_connection() as connection:
        left = connection.execute(text("SELECT token_hash FROM web_session")).scalars().all()
    assert [bytes(one) for one in left] == [sessions.token_hash(cookie)]


def test_accounts_keep_their_services_and_their_checks_when_columns_change(
    empty_database: Database,
) -> None:
    upgrade_to(empty_database, "0002")
    rows = (
        "INSERT INTO person (id, created_at) VALUES ('p', 0)",
        "INSERT INTO mail_account (id, person_id, address, proven_at, vouched_by, host, port,"
        " security, username, checked_at, created_at)"
        " VALUES ('a', 'p', 'ann@example.org', 0, 'pin', 'h', 993, 'tls', 'ann', 0, 0)",
        "INSERT INTO account_service (id, account_id, service, service_uid, created_at)"
        " VALUES ('s', 'a', 'mail', 'uid', 0)",
    )
    with empty_database.write_connection() as connection:
        for row in rows:
            connection.execute(text(row))

    schema.upgrade(empty_database)

    again = "INSERT INTO mail_account (id, person_id, address, proven_at, vouched_by, created_at)"
    with empty_database.read_connection() as connection:
        assert connection.scalar(text("SELECT account_id FROM account_service")) == "a"
    for wrong in ("('b', 'p', 'x@y', NULL, 'nobody', 0)", "('b', 'q', 'x@y', NULL, 'staff', 0)"):
        with pytest.raises(IntegrityError), empty_database.write_connection() as connection:
            connection.execute(text(f"{again} VALUES {wrong}"))
    with empty_database.write_connection() as connection:
        connection.execute(text("INSERT INTO person (id, created_at) VALUES ('q', 0)"))
        connection.execute(text(f"{again} VALUES ('c', 'q', 'q@example.org', NULL, 'staff', 0)"))
    # The address is proven by somebody else.
    twice = "('b', 'q', 'ann@example.org', 0, 'staff', 0)"
    with pytest.raises(IntegrityError), empty_database.write_connection() as connection:
        connection.execute(text(f"{again} VALUES {twice}"))


def test_details_leave_their_records_and_come_back(empty_database: Database) -> None:
    upgrade_to(empty_database, "0002")
    inline = (
        b'{"act":"account-added","actor":"person:p","at":7,'
        b'"detail":{"account":"\xc3\xa4nn@example.org"},"subject":"p","target":"a"}'
    )
    none = b'{"act":"signed-out","actor":"person:p","at":8,"detail":{},"subject":"p","target":"s"}'
    insert = text(
        "INSERT INTO audit (at, actor, act, subject_id, target, record)"
        " VALUES (:at, 'person:p', :act, 'p', :target, :record)"
    )
    with empty_database.write_connection() as connection:
        connection.execute(
            insert, {"at": 7, "act": "account-added", "target": "a", "record": inline}
        )
        connection.execute(insert, {"at": 8, "act": "signed-out", "target": "s", "record": none})

    schema.upgrade(empty_database)

    with empty_database.read() as session:
        first, second = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert (first.detail, second.detail) == ('{"account":"änn@example.org"}', None)
    for row in (first, second):
        assert row.record == canonical_record(
            at=row.at,
            actor=row.actor,
            act=row.act,
            subject="p",
            target=row.target,
            hashed=(row.salt, row.detail),
        )
    downgrade(empty_database, "0002")
    with empty_database.read_connection() as connection:
        records = connection.execute(text("SELECT record FROM audit ORDER BY id")).scalars()
        assert [bytes(one) for one in records] == [inline, none]


def test_the_triggers_are_the_same_whichever_way_the_tables_are_made(
    empty_database: Database,
) -> None:
    Base.metadata.create_all(empty_database.engine)
    made = triggers(empty_database)
    Base.metadata.drop_all(empty_database.engine)
    assert triggers(empty_database) == []
    schema.upgrade(empty_database)
    assert triggers(empty_database) == made


def triggers(database: Database) -> list[str]:
    """Return what the database itself says of its triggers, without how it is spaced."""
    listed = (
        "SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        if database.is_sqlite
        else "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    )
    with database.read_connection() as connection:
        return list(connection.execute(text(listed)).scalars())


def start_session(database: Database, token: str, device: sessions.ClientDevice | None) -> None:
    """Add the session of a browser, or of a device's client."""
    client = sessions.Client("192.0.2.7", "a program")
    with database.write() as session:
        sessions.start(
            session,
            token,
            client,
            person_id=None,
            now=0,
            lifetime=HOUR,
            entropy=os.urandom,
            device=device,
        )


def upgrade_to(database: Database, revision: str) -> None:
    """Bring an empty database to an earlier revision."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take migrations back, as an operator does with Alembic's own command."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
