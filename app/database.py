"""The database: one engine, short transactions, and the truth about a failed commit.

SQLite runs with WAL and ``synchronous=FULL``, since NORMAL loses acknowledged rows when the power
fails. It has one writer at a time, so writers of one process queue on a lock instead of on
SQLite's busy handler, whose waits have terrible tails.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final, cast

from sqlalchemy import Connection, CursorResult, Engine, Result, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from app.driver import driver_cursor

BUSY_SECONDS: Final = 5


class DatabaseUnavailableError(Exception):
    """The database could not do it now; nothing was changed."""


class CommitUnknownError(DatabaseUnavailableError):
    """The commit failed, so its rows may or may not be there: re-read before answering."""


class Database:
    """Sessions and connections for one database URL."""

    def __init__(self, url: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.engine: Final[Engine] = _engine(url, busy_seconds)
        self.is_sqlite: Final = self.engine.dialect.name == "sqlite"
        self._writer: AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session for reading; whatever it changed is rolled back."""
        with self.read_connection() as connection:
            session = Session(connection, expire_on_commit=False, autoflush=False)
            try:
                yield session
            finally:
                session.close()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Yield a session for reading much, all of it as it was at one moment."""
        with _unavailable(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            with Session(connection, expire_on_commit=False, autoflush=False) as session:
                yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Yield a session whose work is one transaction, committed at the end of the block."""
        with self.write_connection() as connection:
            session = Session(connection, expire_on_commit=False)
            try:
                yield session
                session.flush()
            finally:
                session.close()

    @contextmanager
    def read_connection(self) -> Iterator[Connection]:
        """Yield a Core connection for reading."""
        with _unavailable(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def look_up(self) -> Iterator[Connection]:
        """Yield a Core connection for one SELECT, outside any transaction: the cheapest read."""
        with _unavailable(), self.engine.connect() as connection:
            if self.is_sqlite:
                connection.execution_options(handfast_begin="")
            else:
                connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @contextmanager
    def write_connection(self) -> Iterator[Connection]:
        """Yield a Core connection in one transaction, committed at the end of the block.

        Raises CommitUnknownError when the commit itself failed, DatabaseUnavailableError when
        an earlier step did.
        """
        with self._writer, _unavailable(), self.engine.connect() as connection:
            connection.execution_options(handfast_begin="BEGIN IMMEDIATE")
            with self._renewed_after_failure(connection):
                transaction = connection.begin()
            try:
                with self._renewed_after_failure(connection):
                    yield connection
            except BaseException:
                # A session whose flush failed has rolled it back already.
                if transaction.is_active:
                    transaction.rollback()
                raise
            try:
                transaction.commit()
            except DBAPIError as error:
                connection.invalidate()
                raise CommitUnknownError(type(error.orig).__name__) from error

    @contextmanager
    def _renewed_after_failure(self, connection: Connection) -> Iterator[None]:
        """Give up connections that may be spoilt for good: opened on a read-only file, say."""
        try:
            yield
        except DBAPIError as error:
            if _is_passing(error):
                connection.invalidate()
                self.engine.dispose()
            raise

    def queue_for(self, session: Session, name: str) -> None:
        """Let transactions about the same name follow one another; the lock ends with them."""
        queue_for(session, name)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE changed: 0 when somebody else was first."""
    return cast("CursorResult[Any]", result).rowcount


def queue_for(session: Session, name: str) -> None:
    """Let transactions about the same name follow one another, where one has only a session.

    SQLite has one writer at a time in any case.
    """
    if session.get_bind().dialect.name != "sqlite":
        # A row lock cannot do this, since the row may not be there yet.
        statement = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
        session.execute(statement, {"name": name})


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise DatabaseUnavailableError("pool exhausted") from error
    except DBAPIError as error:
        if _is_passing(error):
            raise DatabaseUnavailableError(type(error.orig).__name__) from error
        raise


def _is_passing(error: SQLAlchemyError) -> bool:
    """Tell a fault of the place (locked, full, gone) from a fault of the statement."""
    return isinstance(error, OperationalError | InterfaceError)


def _engine(url: str, busy_seconds: float) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_pre_ping=True, pool_size=8, max_overflow=8)
    _close_to_others(parsed.database)
    engine = create_engine(parsed, connect_args={"timeout": busy_seconds})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _close_to_others(path: str | None) -> None:
    """Make a new database file readable by its owner only; SQLite's other files follow it."""
    if path and path != ":memory:":
        with suppress(FileExistsError, FileNotFoundError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling is switched off, since it begins too late.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = str(connection.get_execution_options().get("handfast_begin", "BEGIN"))
    if begin:
        with driver_cursor(connection) as cursor:
            cursor.execute(begin)
