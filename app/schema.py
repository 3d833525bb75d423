"""The database's schema: brought up to date, compared, and asked for its version."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from app import ROOT
from app.driver import driver_cursor
from app.models import Base

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from app.database import Database

_DANGLING: Final = text("PRAGMA foreign_key_check")


class SchemaError(Exception):
    """A migration of ours is wrong; nothing was changed."""


def upgrade(database: Database) -> tuple[str | None, str | None]:
    """Run every missing migration; return the revision before and after."""
    with _referring(database) as connection:
        before = _revision(connection)
        command.upgrade(_alembic(connection), "head")
        return before, _revision(connection)


@contextmanager
def _referring(database: Database) -> Iterator[Connection]:
    """Yield a connection in a transaction in which a table may be replaced by its copy.

    SQLite changes a column only by copying the table, and would take the rows that refer to the
    old one with it; so it looks at the references once, at the end.
    """
    with database.engine.connect() as connection:
        _foreign_keys(database, connection, "OFF")
        try:
            with connection.begin():
                yield connection
                if database.is_sqlite and connection.execute(_DANGLING).first() is not None:
                    raise SchemaError("a migration left rows that refer to nothing")
        finally:
            _foreign_keys(database, connection, "ON")


def _foreign_keys(database: Database, connection: Connection, state: str) -> None:
    """Switch SQLite's checks; it listens outside of a transaction only."""
    if database.is_sqlite:
        with driver_cursor(connection) as cursor:
            cursor.execute(f"PRAGMA foreign_keys={state}")


def new_revision(database: Database, message: str) -> None:
    """Write a migration from what the models say and the database lacks (for developers)."""
    with database.engine.begin() as connection:
        number = len(list((ROOT / "migrations" / "versions").glob("*.py"))) + 1
        command.revision(_alembic(connection), message, autogenerate=True, rev_id=f"{number:04d}")


def is_current(database: Database) -> bool:
    """Tell whether every migration has run."""
    with database.engine.connect() as connection:
        head = ScriptDirectory(str(ROOT / "migrations")).get_current_head()
        return _revision(connection) == head


def differences(database: Database) -> list[object]:
    """Return what the models say and the migrated database does not; empty when they agree."""
    with database.engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["connection"] = connection
    return config
