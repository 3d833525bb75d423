"""What an entry is made of: a record that stays, and personal detail that may go."""

from __future__ import annotations

import hashlib
import json

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app import audit
from app.audit import Act
from app.auditing.names import ACT_NAMES
from app.auditing.reading import detail_of
from app.database import Database
from app.history.sentences import SENTENCES
from app.models import AuditEntry
from protocol.encoding import b64u

SALT = bytes(range(16))
DETAIL = '{"account":"ann@example.org","proven":1}'


def add(database: Database, detail: dict[str, str | int] | None) -> AuditEntry:
    """Write one entry and read it back."""
    with database.write() as session:
        audit.record(
            session,
            at=7,
            actor="person:p",
            act=Act.ACCOUNT_ADDED,
            subject="p",
            target="a",
            detail=detail,
            entropy=lambda _: SALT,
        )
    with database.read() as session:
        return session.scalars(select(AuditEntry)).one()


def test_personal_detail_stands_beside_the_record(database: Database) -> None:
    entry = add(database, {"proven": 1, "account": "ann@example.org"})
    assert entry.detail == DETAIL
    assert entry.salt == SALT
    assert b"ann@" not in entry.record


def test_the_record_commits_to_it_as_the_documentation_has_it(database: Database) -> None:
    entry = add(database, {"account": "ann@example.org", "proven": 1})
    label = b"handfast/1 audit detail"
    hashed = hashlib.sha256(
        bytes([len(label)]) + label + bytes([16]) + SALT + bytes([len(DETAIL)]) + DETAIL.encode()
    ).digest()
    assert json.loads(entry.record)["commitment"] == b64u(hashed)


def test_an_entry_without_detail_commits_to_nothing(database: Database) -> None:
    entry = add(database, None)
    assert (entry.detail, entry.salt) == (None, None)
    assert json.loads(entry.record)["commitment"] is None


def test_detail_that_is_gone_is_no_detail(database: Database) -> None:
    add(database, {"account": "ann@example.org"})
    with database.write() as session:
        session.execute(update(AuditEntry).values(detail=None, salt=None))
    with database.read() as session:
        assert detail_of(session.scalars(select(AuditEntry)).one()) == {}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit",
        "UPDATE audit SET at = 8",
        "UPDATE audit SET actor = 'person:q'",
        "UPDATE audit SET act = 'signed-in'",
        "UPDATE audit SET subject_id = NULL",
        "UPDATE audit SET target = 'b'",
        "UPDATE audit SET record = NULL",
        "UPDATE audit SET id = id + 1",
        "UPDATE audit SET detail = '{}'",
        "UPDATE audit SET salt = record",
        "UPDATE audit SET detail = NULL",
        "UPDATE audit_link SET hash = NULL",
        "DELETE FROM audit_link",
        "UPDATE audit_head SET at = 1",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_every_other_change(database: Database, statement: str) -> None:
    add(database, {"account": "ann@example.org"})
    with database.write() as session:
        link = "SELECT 1, id, record FROM audit"
        session.execute(text(f"INSERT INTO audit_link (position, audit_id, hash) {link}"))
        head = "SELECT 1, record, 0, 'k', record FROM audit"
        session.execute(
            text(f"INSERT INTO audit_head (position, hash, at, key_id, signature) {head}")
        )
    with pytest.raises(DBAPIError, match="append-only"), database.write_connection() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        "REPLACE INTO audit SELECT * FROM audit",
        "REPLACE INTO audit_link SELECT 2, audit_id, hash FROM audit_link",
    ],
)
def test_sqlite_does_not_replace_rows(sqlite_database: Database, statement: str) -> None:
    add(sqlite_database, None)
    with sqlite_database.write_connection() as connection:
        connection.execute(text("INSERT INTO audit_link SELECT 1, id, record FROM audit"))
    with (
        pytest.raises(DBAPIError, match="append-only"),
        sqlite_database.write_connection() as connection,
    ):
        connection.execute(text(statement))


@pytest.mark.postgresql
def test_postgresql_does_not_truncate(postgresql_database: Database) -> None:
    add(postgresql_database, None)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        postgresql_database.write_connection() as connection,
    ):
        connection.execute(text("TRUNCATE audit CASCADE"))


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_words_for_the_person_and_a_name_for_staff(act: Act) -> None:
    assert SENTENCES[act]
    assert str(ACT_NAMES[act])
