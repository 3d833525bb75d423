"""Invitations that nobody took up in time end by themselves; the worker sees to it.

What waits with them is a matter of its own time, which the sweeper looks at.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from app.clock import Clock
from app.database import Database
from app.models import Invitation, InvitationState
from app.provisioning.open_invitations import expire_one

BATCH: Final = 200


def expire(database: Database, clock: Clock) -> bool:
    """End a bounded number of invitations that are over their time; say whether more may be."""
    now = clock.now()
    due = select(Invitation.id).where(
        Invitation.state == InvitationState.OPEN, Invitation.expires_at <= now
    )
    with database.read() as session:
        rows = session.scalars(due.limit(BATCH)).all()
    if not rows:
        return False
    with database.write() as session:
        for row in rows:
            expire_one(session, row, now=now)
    return len(rows) == BATCH
