"""Triggers that keep the audit append-only, whatever a mistake of ours asks for.

No entry is removed or changed, except that its personal detail may go. Who owns the database can
drop a trigger; that they did something shows in the chain, which ``flask audit verify`` checks.
"""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import DDL, Table, event

from app.models.audit import AuditEntry, AuditHead, AuditLink
from app.models.base import Base

_COLUMNS: Final = ("id", "at", "actor", "act", "subject_id", "target", "record")
# Whether there is a row already whose place another one would take.
_TAKEN: Final = {
    "audit": "SELECT 1 FROM audit WHERE id = NEW.id",
    "audit_link": "SELECT 1 FROM audit_link "
    "WHERE position = NEW.position OR audit_id = NEW.audit_id",
    "audit_head": "SELECT 1 FROM audit_head WHERE position = NEW.position",
}
_WHY: Final = "the audit is append-only"
_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_WHY}'; END $$"
)


def install() -> None:
    """Have ``create_all`` make the triggers along with their tables."""
    event.listen(Base.metadata, "before_create", _only("postgresql", _FUNCTION))
    for model in (AuditEntry, AuditLink, AuditHead):
        table = cast("Table", model.__table__)
        for dialect, statements in (("sqlite", _sqlite), ("postgresql", _postgresql)):
            for statement in statements(table.name):
                event.listen(table, "after_create", _only(dialect, statement))


def _only(dialect: str, statement: str) -> Any:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy has no types for it
    return ddl.execute_if(dialect=dialect)


def _sqlite(table: str) -> tuple[str, ...]:
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_WHY}'); END"
    changed = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in _COLUMNS)
    only_erased = f"WHEN NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL OR {changed} "
    return (
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
        f"{only_erased if table == 'audit' else ''}{refuse}",
        # INSERT OR REPLACE removes the row before, and no trigger of DELETE sees it.
        f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
        f"WHEN EXISTS ({_TAKEN[table]}) {refuse}",
    )


def _postgresql(table: str) -> tuple[str, ...]:
    refuse = "EXECUTE FUNCTION audit_stays()"
    changed = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in _COLUMNS)
    only_erased = f"WHEN (NEW.detail IS NOT NULL OR NEW.salt IS NOT NULL OR {changed}) "
    return (
        f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} {refuse}",
        f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW "
        f"{only_erased if table == 'audit' else ''}{refuse}",
    )
