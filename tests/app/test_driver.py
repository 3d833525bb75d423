"""What becomes of the driver's errors on the way through its own cursor."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.database import Database
from app.driver import driver_cursor


def test_a_connection_that_is_closed_is_told_as_such_and_not_used_again(database: Database) -> None:
    with database.engine.connect() as connection:
        behind = connection.connection.dbapi_connection
        assert behind is not None
        behind.close()
        with pytest.raises(DBAPIError) as told, driver_cursor(connection):
            raise AssertionError("a closed connection gave a cursor")
    assert told.value.connection_invalidated
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_an_error_of_the_driver_brings_no_values_along(database: Database) -> None:
    value = "c7d1f0"
    statement = "SELECT ? FROM nowhere" if database.is_sqlite else "SELECT %s FROM nowhere"
    with database.engine.connect() as connection:
        with pytest.raises(DBAPIError) as told, driver_cursor(connection) as cursor:
            cursor.execute(statement, (value,))
        assert not told.value.connection_invalidated
    assert value not in str(told.value)
