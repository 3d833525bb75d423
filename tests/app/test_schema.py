"""The migrations make exactly what the models say, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import schema
from app.database import Database
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
