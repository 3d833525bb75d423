"""What the worker does for the dashboard."""

from __future__ import annotations

from app.statistics.counting import count_audit
from app.statistics.present import count_present
from app.worker.here import Here


def count(here: Here) -> bool:
    """Count what is new in the audit, and now and then what there is."""
    now = here.clock.now()
    is_more = count_audit(here.database, now=now)
    count_present(here.database, now=now)
    return is_more
