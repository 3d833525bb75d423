"""How what goes on beside the portal is doing; page, readiness and metrics all ask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.auditing import state
from app.clock import MINUTE
from app.models import WorkerJob
from app.outbox.services import standing_since

# A worker none of whose jobs has run for so long is not there.
WORKER_SEEN: Final = 3 * MINUTE
# The sealer is late when an entry has waited for it for so long.
AUDIT_LAG: Final = 5 * MINUTE


@dataclass(frozen=True)
class Health:
    """What the worker does, and whether it does it in time; moments in microseconds."""

    # When a job of the worker last ran; None: never.
    worker_at: int | None
    is_worker_there: bool
    audit: state.State
    # For how long the first entry that the sealer has not had yet waits.
    audit_lag: int
    # Since when no mail goes out at all; None: it does.
    mail_standing_since: int | None

    @property
    def is_audit_late(self) -> bool:
        """Tell whether the sealer is late."""
        return self.audit_lag >= AUDIT_LAG


def read_health(session: Session, *, now: int) -> Health:
    """Return how worker, audit and mail are doing, cheaply: nothing is verified."""
    seen = session.scalar(select(func.max(WorkerJob.ran_at)))
    audit = state.read_state(session)
    return Health(
        worker_at=seen,
        is_worker_there=seen is not None and now - seen < WORKER_SEEN,
        audit=audit,
        audit_lag=audit.lag(now),
        mail_standing_since=standing_since(session, now=now),
    )
