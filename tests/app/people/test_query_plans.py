"""No list and no person's page reads a whole table: the database says how it would go about it.

SQLite says SCAN of a table where it reads all of it, and of an index where it walks along it, which
a page's limit ends. PostgreSQL is asked with its sequential scans made dear, as a large table does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.database import Database
from app.people import paging, subjects, things
from app.people.conditions import PeopleState
from app.people.listing import BY_ADDRESS, Wanted, list_people
from app.people.overview import find_person
from app.people.paging import Place
from app.people.timeline import read_timeline
from tests.app.people.crowd import ADA, crowd, group
from tests.app.service_fixtures import NOON

# These grow with the number of people.
LARGE = {
    "person",
    "person_term",
    "mail_account",
    "account_service",
    "device",
    "activation",
    "service_grant",
    "service_key",
    "invitation",
    "web_session",
    "outgoing_mail",
    "audit",
    "group_member",
}
Ask = Callable[[Session], object]
PLACE = Place("newest", NOON - 3_000_000, "crowd-00012")


def people(**wanted: Any) -> Ask:
    return lambda session: list_people(session, ADA, Wanted(**wanted), now=NOON)


def listed(name: str, **wanted: Any) -> Ask:
    subject = getattr(subjects, name.upper())
    describe = getattr(things, f"{name.removesuffix('s')}_lines")

    def ask(session: Session) -> None:
        asked = things.Wanted(**wanted)
        page = things.read_things(session, ADA, subject, asked, now=NOON)
        describe(session, page.ids, now=NOON)

    return ask


ASKED: dict[str, Ask] = {
    "people": people(),
    "people behind somebody": people(after=PLACE),
    "people before somebody": people(before=PLACE),
    "people by address": people(sort=BY_ADDRESS),
    "people by a word": people(text="ann"),
    "people by two words": people(text="ann number"),
    "people of a group": people(group_id="half"),
    "people by id": people(text="x" * 22),
    **{f"people who are {state}": people(state=state) for state in PeopleState},
    "a person": lambda session: find_person(session, ADA, "crowd-00012", now=NOON),
    "a time line": lambda session: read_timeline(session, "crowd-00012"),
    **{name: listed(name) for name in ("accounts", "devices", "activations", "keys", "sessions")},
    "unproven accounts": listed("accounts", state="unproven"),
    "accounts to which mail came back": listed("accounts", state="bounced"),
    "what waits": listed("activations", state="waiting"),
    "keys of one person": listed("keys", person_id="crowd-00012"),
    "devices of somebody": listed("devices", text="ann"),
}


@pytest.fixture
def crowded(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Many people, as far as the limits of lists go."""
    group(database, "half", crowd(database, 60, now=NOON)[::2], now=NOON)
    monkeypatch.setattr(paging, "FEW", 5)
    return database


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is asked of the database."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _u: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def scanned(database: Database, statement: str, parameters: Any) -> list[str]:
    """Return the large tables that a statement would read whole."""
    with database.read_connection() as connection:
        if database.is_sqlite:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(row[3]) for row in rows]
            return [
                step
                for step in steps
                if step.startswith("SCAN ")
                and " USING " not in step
                and _table(step.split()[1], statement) in LARGE
            ]
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
        return [
            row[0]
            for row in rows
            if "Seq Scan on " in row[0] and row[0].split("Seq Scan on ")[1].split()[0] in LARGE
        ]


def _table(alias: str, statement: str) -> str:
    """Return the table behind an alias of SQLAlchemy's."""
    before, found, _ = statement.partition(f" AS {alias} ")
    return before.split()[-1] if found else alias


@pytest.mark.parametrize("name", ASKED)
def test_no_large_table_is_read_whole(crowded: Database, name: str) -> None:
    with statements(crowded) as seen, crowded.read() as session:
        ASKED[name](session)
    assert seen
    whole = {found for each in seen for found in scanned(crowded, *each)}
    assert whole == set()


def test_a_whole_table_that_is_read_is_noticed(crowded: Database) -> None:
    assert scanned(crowded, "SELECT name FROM person WHERE name LIKE 'a'", ())
