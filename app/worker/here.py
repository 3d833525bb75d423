"""What the worker's jobs need, in one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.clock import Clock
from app.config import WorkerConfig
from app.database import Database
from app.keystore.rings import WorkerKeys


@dataclass(frozen=True)
class Here:
    """The worker's dependencies; tests put a clock of their own here."""

    config: WorkerConfig
    database: Database
    keys: WorkerKeys
    clock: Clock
    entropy: Callable[[int], bytes]
