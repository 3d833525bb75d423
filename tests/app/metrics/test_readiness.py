"""Ready, degraded, not ready: one word for everybody, the reasons for who may read metrics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import schema
from app.clock import HOUR, MINUTE, FixedClock
from app.database import Database
from app.keystore.provider import KeyStoreError
from app.metrics import readiness
from app.metrics.readiness import Readiness, Status
from app.models import WorkerJob
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.rights import Permission
from tests.app.auditing.house import House
from tests.app.metrics.test_metrics import fetch, token
from tests.app.pages.seeded import Seeded
from tests.app.service_fixtures import Entropy


@pytest.fixture
def migrated(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'ready.sqlite3'}", busy_seconds=0.2)
    schema.upgrade(database)
    yield database
    database.dispose()


@pytest.fixture
def watched(migrated: Database, clock: FixedClock) -> Readiness:
    """All is well: the worker was here a moment ago."""
    seen(migrated, clock.now())
    return Readiness(migrated, clock, lambda: None)


def seen(database: Database, at: int) -> None:
    with database.write() as session:
        session.merge(WorkerJob(name="audit", ran_at=at, has_failed=False))


def test_all_is_well(watched: Readiness) -> None:
    report = watched.report()
    assert report.status == Status.READY
    assert all(report.checks.values())


def test_a_worker_that_was_not_seen_degrades(watched: Readiness, clock: FixedClock) -> None:
    clock.advance(4 * MINUTE)
    report = watched.report()
    assert (report.status, report.checks["worker"]) == (Status.DEGRADED, False)


def test_a_sealer_that_is_late_degrades(
    watched: Readiness, migrated: Database, clock: FixedClock, tmp_path: Path
) -> None:
    House.build(migrated, clock, tmp_path).write()
    clock.advance(6 * MINUTE)
    seen(migrated, clock.now())
    report = watched.report()
    assert (report.status, report.checks["audit"]) == (Status.DEGRADED, False)


def test_mail_that_does_not_go_out_degrades(
    watched: Readiness, migrated: Database, clock: FixedClock
) -> None:
    with migrated.write() as session:
        queue(
            session,
            person_id=None,
            address="ann@example.org",
            kind=MailKind.INVITED,
            facts={},
            now=clock.now() - HOUR,
            entropy=Entropy("mail"),
        )
    report = watched.report()
    assert (report.status, report.checks["mail"]) == (Status.DEGRADED, False)


def test_without_keys_it_is_not_ready(migrated: Database, clock: FixedClock) -> None:
    def no_keys() -> None:
        raise KeyStoreError("there is no key", "make one")

    seen(migrated, clock.now())
    report = Readiness(migrated, clock, no_keys).report()
    assert (report.status, report.checks["keys"]) == (Status.NOT_READY, False)


def test_an_old_schema_is_not_ready(tmp_path: Path, clock: FixedClock) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    report = Readiness(database, clock, lambda: None).report()
    database.dispose()
    assert (report.status, report.checks["schema"]) == (Status.NOT_READY, False)


def test_a_database_that_is_away_is_not_ready(tmp_path: Path, clock: FixedClock) -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/nothing")
    report = Readiness(database, clock, lambda: None).report()
    database.dispose()
    assert (report.status, report.checks["database"]) == (Status.NOT_READY, False)


def test_who_asks_often_costs_little(
    migrated: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [0.0]
    watched = Readiness(migrated, clock, lambda: None, monotonic=lambda: moments[0])
    assert watched.report().status == Status.DEGRADED
    seen(migrated, clock.now())
    assert watched.report().status == Status.DEGRADED
    moments[0] = readiness.FRESH_SECONDS + 1
    assert watched.report().status == Status.READY


def test_a_stranger_is_told_one_word(bare: Seeded) -> None:
    answer = fetch(bare, "", "/readyz")
    # The tables of the tests were not made by migrations.
    assert (answer.status_code, answer.get_json()) == (503, {"status": "not-ready"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_who_may_read_metrics_is_told_why(bare: Seeded) -> None:
    answer = fetch(bare, token(bare, Permission.METRICS_READ), "/readyz").get_json()
    assert answer["checks"]["keys"] is True
    assert answer["checks"]["schema"] is False


@pytest.mark.parametrize("shown", ["", "rubbish", "hfa_" + "A" * 43])
def test_a_bad_token_is_a_stranger(bare: Seeded, shown: str) -> None:
    assert set(fetch(bare, shown, "/readyz").get_json()) == {"status"}
