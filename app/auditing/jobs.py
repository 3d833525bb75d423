"""What the worker does for the audit."""

from __future__ import annotations

from app.auditing.sealing import seal
from app.worker.here import Here


def seal_audit(here: Here) -> bool:
    """Link and sign what is new; the chain's end is also written down outside."""
    now = here.clock.now()
    return seal(here.database, here.config.audit_heads, here.keys.audit.current(now), now=now) > 0
