"""The database's schema: brought up to date, compared, and asked for its version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import ROOT
from app.models import Base

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database


def upgrade(database: Database) -> tuple[str | None, str | None]:
    """Run every missing migration; return the revision before and after."""
    with database.engine.begin() as connection:
        before = _revision(connection)
        command.upgrade(_alembic(connection), "head")
        return before, _revision(connection)


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
