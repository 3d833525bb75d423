"""The audit over both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.clock import FixedClock
from app.database import Database
from tests.app.auditing.house import House
from tests.app.pages.conftest import bare, lived_in

__all__ = ["bare", "house", "lived_in"]


@pytest.fixture
def house(database: Database, clock: FixedClock, tmp_path: Path) -> House:
    """An audit of nine entries in three batches, sealed."""
    built = House.build(database, clock, tmp_path)
    for _ in range(3):
        built.write(3)
        built.seal()
    return built
