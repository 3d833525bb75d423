"""A portal that Ann has used for nine days, and one that nobody has used yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.pages.seeded import Seeded, bare_portal, live_in


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Seeded]:
    """Ann and Bob have an account each and nothing else."""
    with bare_portal(tmp_path) as seeded:
        yield seeded


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seeded]:
    """A portal for tests that only look."""
    with bare_portal(tmp_path_factory.mktemp("portal")) as found:
        live_in(found)
        yield found


@pytest.fixture
def lived_in(bare: Seeded) -> Seeded:
    """A portal for tests that change something."""
    live_in(bare)
    return bare
