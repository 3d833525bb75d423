"""A database that cannot: nothing is answered that is not stored, and recovery needs nobody."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from app.database import Database, DatabaseUnavailableError
from app.models import Activation, ServiceKey
from tests.app.service_fixtures import ADDRESS, Service


def path_of(database: Database) -> Path:
    return Path(str(database.engine.url.database))


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """Another process holds the write lock for longer than anybody waits."""
    with closing(sqlite3.connect(path_of(service.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def read_only(service: Service) -> Iterator[None]:
    """Every connection is told that it may not write."""

    def forbid(connection: Any, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    service.database.engine.dispose()
    event.listen(service.database.engine, "connect", forbid)
    yield
    event.remove(service.database.engine, "connect", forbid)
    service.database.engine.dispose()


@contextmanager
def answers_lost(database: Database, *, after: bool) -> Iterator[None]:
    """The connection breaks at the commit, after it took effect or before."""
    original = database.engine.dialect.do_commit

    def break_off(connection: Any) -> None:
        if after:
            original(connection)
        else:
            connection.rollback()
        raise OperationalError("COMMIT", {}, ConnectionError("cut"))

    patch = pytest.MonkeyPatch()
    patch.setattr(database.engine.dialect, "do_commit", break_off)
    yield
    patch.undo()


@pytest.mark.parametrize("fault", [locked, read_only])
def test_init_is_unavailable_and_recovers(sqlite_service: Service, fault: Any) -> None:
    service = sqlite_service
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)

    with fault(service), pytest.raises(DatabaseUnavailableError):
        service.exchange.init(offer.init)

    assert service.exchange.init(offer.init)
    with service.database.read() as session:
        assert session.get_one(Activation, issued.activation_id).attempts == 1


@pytest.mark.parametrize("fault", [locked, read_only])
def test_confirm_is_unavailable_and_recovers(sqlite_service: Service, fault: Any) -> None:
    service = sqlite_service
    offer = service.handset().offer(service, service.issue(service.ann).document)
    pending = offer.pending(service.exchange.init(offer.init))

    with fault(service), pytest.raises(DatabaseUnavailableError):
        service.exchange.confirm(pending.confirm, address=ADDRESS)

    with service.database.read() as session:
        assert list(session.scalars(select(ServiceKey.id))) == []
    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    assert pending.receive_complete(complete).keys


def test_issue_is_unavailable_and_recovers(sqlite_service: Service) -> None:
    with locked(sqlite_service), pytest.raises(DatabaseUnavailableError):
        sqlite_service.issue(sqlite_service.ann, ticket="t" * 22)

    assert sqlite_service.issue(sqlite_service.ann, ticket="t" * 22).document


def test_a_commit_that_was_done_after_all_is_answered(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)

    with answers_lost(service.database, after=True):
        reply = service.exchange.init(offer.init)
        pending = offer.pending(reply)
        complete = service.exchange.confirm(pending.confirm, address=ADDRESS)

    assert pending.receive_complete(complete).keys
    assert service.exchange.confirm(pending.confirm, address=ADDRESS) == complete


def test_a_commit_that_was_not_done_is_said_to_be_unknown(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)

    with answers_lost(service.database, after=False), pytest.raises(DatabaseUnavailableError):
        service.exchange.init(offer.init)
    pending = offer.pending(service.exchange.init(offer.init))
    with answers_lost(service.database, after=False), pytest.raises(DatabaseUnavailableError):
        service.exchange.confirm(pending.confirm, address=ADDRESS)

    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    assert pending.receive_complete(complete).keys
