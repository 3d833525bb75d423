"""What is over is not kept: sessions with where somebody was, secrets that never came into use."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from app.clock import DAY
from app.database import Database, changed
from app.models import StaffLink, StaffSession

KEEP_LINK: Final = 30 * DAY
BATCH: Final = 500


def forget_old(database: Database, now: int) -> bool:
    """Delete up to a batch of sessions and links, and tell whether there may be more."""
    over = select(StaffSession.id).where(StaffSession.expires_at <= now).limit(BATCH)
    old = select(StaffLink.id).where(StaffLink.expires_at <= now - KEEP_LINK).limit(BATCH)
    with database.write() as session:
        sessions = changed(session.execute(delete(StaffSession).where(StaffSession.id.in_(over))))
        links = changed(session.execute(delete(StaffLink).where(StaffLink.id.in_(old))))
    return BATCH in (sessions, links)
