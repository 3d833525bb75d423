"""What tests of the counts need: the audit linked and counted, and the counts as they are."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from app.auditing.sealing import seal
from app.database import Database
from app.models import DailyCount, PresentCount
from app.statistics.counting import count_audit
from app.statistics.tallying import day_of
from protocol.signing import SigningKey
from tests.app.service_fixtures import Entropy, Service

_KEY = SigningKey.generate(entropy=Entropy("sealer"))


def seal_all(database: Database, folder: Path, *, now: int) -> None:
    """Link all entries of the audit."""
    while seal(database, folder / "audit-heads.log", _KEY, now=now):
        pass


def count_all(service: Service, folder: Path) -> None:
    """Link and count all that happened."""
    now = service.clock.now()
    seal_all(service.database, folder, now=now)
    while count_audit(service.database, now=now):
        pass


def daily(database: Database) -> dict[tuple[int, str, str], int]:
    """Return the counts by day, what and label."""
    with database.read() as session:
        return {(row.day, row.what, row.label): row.count for row in session.scalars(_DAILY)}


def today(service: Service) -> dict[tuple[str, str], int]:
    """Return today's counts by what and label."""
    day = day_of(service.clock.now())
    return {key[1:]: count for key, count in daily(service.database).items() if key[0] == day}


def present(database: Database) -> dict[tuple[str, str], int]:
    """Return the present counts by what and label."""
    with database.read() as session:
        return {(row.what, row.label): row.count for row in session.scalars(_PRESENT)}


_DAILY = select(DailyCount)
_PRESENT = select(PresentCount)
