"""Very many rows at once, each database by its fastest way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection

from app.driver import driver_cursor
from app.models import Base

# In KiB: with SQLite's usual 2 MiB every page would be written and read again many times.
_CACHE: Final = 256 * 1024
_USUAL_CACHE: Final = 2000


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Write rows, whose values are in the order of the columns."""
    known = Base.metadata.tables[table].c
    quote = connection.dialect.identifier_preparer.quote
    names = ", ".join(quote(known[column].name) for column in columns)
    with driver_cursor(connection) as cursor:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", rows)  # noqa: S608  # names of our own tables
            return
        with cursor.copy(f"COPY {quote(table)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)


@contextmanager
def room_for_pages(connection: Connection) -> Iterator[None]:
    """Let SQLite keep what is written in memory until the end of the block."""
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size=-{_USUAL_CACHE}")
