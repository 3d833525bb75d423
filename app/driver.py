"""The driver's own cursor, on a connection that SQLAlchemy looks after.

On the three requests whose rate matters, SQLAlchemy's way to a cursor and back costs several
times what SQLite needs for the statement itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


@contextmanager
def driver_cursor(connection: Connection) -> Iterator[Any]:
    """Yield a cursor; the driver's errors come out as SQLAlchemy's, without any values."""
    driver = connection.dialect.loaded_dbapi
    borrowed = connection.connection
    cursor = None
    try:
        cursor = borrowed.cursor()
        yield cursor
    except driver.Error as error:
        is_gone = connection.dialect.is_disconnect(error, borrowed, cursor)
        if is_gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, driver.Error, connection_invalidated=is_gone
        ) from error
    finally:
        if cursor is not None:
            cursor.close()
