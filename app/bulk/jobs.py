"""What the worker does with lists."""

from __future__ import annotations

from app.bulk.checking import check_some
from app.bulk.services import forget_lines
from app.bulk.stocking import stock_some
from app.bulk.taking import Worker, take_one
from app.tokens.services import forget_answers
from app.worker.here import Here


def check_lists(here: Here) -> bool:
    """Check a part of a list."""
    return check_some(here.database, here.clock)


def take_lists(here: Here) -> bool:
    """Take a checked list that staff asked for."""
    return take_one(Worker(here.database, here.config, here.clock, here.entropy))


def stock_lists(here: Here) -> bool:
    """Make passwords ahead for a part of a list."""
    return stock_some(here.database, here.clock, here.entropy, here.keys.grants)


def forget_lists(here: Here) -> bool:
    """Delete what was written into old lists, and what programs were answered yesterday."""
    forget_lines(here.database, here.clock)
    forget_answers(here.database, now=here.clock.now())
    return False
