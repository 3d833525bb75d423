"""Core statements compiled to SQL once, for the three requests whose rate matters.

SQLAlchemy spends more time on finding a compiled statement again than SQLite does on running it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Dialect
from sqlalchemy.sql.expression import ClauseElement

from app.driver import driver_cursor


class Prepared:
    """One statement, written for each dialect when it first meets it.

    Values pass to the driver as they are: text, whole numbers, bytes, None. ``columns`` are the
    columns that an INSERT gives values to.
    """

    def __init__(self, statement: ClauseElement, *, columns: Sequence[str] | None = None) -> None:
        self._statement: Final = statement
        self._columns: Final = columns
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, parameters: Mapping[str, object]) -> int:
        """Execute it once and return how many rows it changed."""
        compiled = self._for(connection.dialect)
        with driver_cursor(connection) as cursor:
            cursor.execute(compiled.sql, compiled.arguments(parameters))
            changed: int = cursor.rowcount
        return changed

    def run_each(self, connection: Connection, parameters: Sequence[Mapping[str, object]]) -> None:
        """Execute it once for each set of parameters."""
        compiled = self._for(connection.dialect)
        with driver_cursor(connection) as cursor:
            cursor.executemany(compiled.sql, [compiled.arguments(one) for one in parameters])

    def rows(self, connection: Connection, parameters: Mapping[str, object]) -> list[Any]:
        """Execute it once and return all its rows, each with its columns as attributes."""
        compiled = self._for(connection.dialect)
        with driver_cursor(connection) as cursor:
            cursor.execute(compiled.sql, compiled.arguments(parameters))
            return compiled.named(cursor)

    def row(self, connection: Connection, parameters: Mapping[str, object]) -> Any | None:
        """Execute it once and return its first row, or None."""
        return next(iter(self.rows(connection, parameters)), None)

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(
                self._statement, dialect, self._columns
            )
        return compiled


class _Compiled:
    def __init__(
        self, statement: ClauseElement, dialect: Dialect, columns: Sequence[str] | None
    ) -> None:
        keys = None if columns is None else list(columns)
        compiled = statement.compile(dialect=dialect, column_keys=keys)
        self.sql: Final = str(compiled)
        self._row: Callable[..., Any] | None = None
        self._names: Final[list[str] | None] = getattr(compiled, "positiontup", None)
        self._constants: Final = {
            name: value.value if isinstance(value, Enum) else value
            for name, value in compiled.params.items()
            if value is not None
        }

    def arguments(self, parameters: Mapping[str, object]) -> Any:
        """Return what the driver takes: a tuple or a mapping."""
        values = {**self._constants, **parameters}
        if self._names is None:
            return values
        return tuple([values[name] for name in self._names])

    def named(self, cursor: Any) -> list[Any]:
        """Return the rows of a cursor that has run this statement."""
        if self._row is None:
            # The columns are the same each time, and making a class is slow.
            self._row = _row_class([column[0] for column in cursor.description])
        return [self._row(*values) for values in cursor.fetchall()]


def _row_class(columns: list[str]) -> Callable[..., Any]:
    return namedtuple("Row", columns)
