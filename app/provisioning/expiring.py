"""Invitations that nobody took up in time end by themselves; the worker sees to it.

What waits with them is a matter of its own time, which the sweeper looks at.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from app.accounts.invited import end_invitation
from app.audit import Act, record
from app.clock import Clock
from app.database import Database
from app.models import Invitation, InvitationState
from app.provisioning.open_invitations import drop_entered

BATCH: Final = 200


def expire(database: Database, clock: Clock) -> bool:
    """End a bounded number of invitations that are over their time; say whether more may be."""
    now = clock.now()
    due = select(Invitation.id, Invitation.person_id, Invitation.address).where(
        Invitation.state == InvitationState.OPEN, Invitation.expires_at <= now
    )
    with database.read() as session:
        rows = session.execute(due.limit(BATCH)).all()
    if not rows:
        return False
    with database.write() as session:
        for row in rows:
            if not end_invitation(session, row.id, InvitationState.EXPIRED, now=now, due=now):
                continue
            record(
                session,
                at=now,
                actor="system",
                act=Act.INVITATION_EXPIRED,
                subject=row.person_id,
                target=row.id,
                detail={"account": row.address},
            )
            drop_entered(session, session.get_one(Invitation, row.id), "system", "expired", now)
    return len(rows) == BATCH
