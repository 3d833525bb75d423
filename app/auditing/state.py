"""How the chain is: where it ends, what waits for the sealer, when it was last verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit import Act
from app.auditing.reading import detail_of
from app.models import AuditEntry, AuditHead, AuditLink

# Beyond this "more than" is enough.
COUNTED: Final = 10_000


@dataclass(frozen=True)
class State:
    """The chain as somebody who looks after it wants to know it; moments in microseconds."""

    position: int
    signed_at: int | None
    waiting: int
    # When the first one that waits was written.
    waiting_since: int | None
    verified_at: int | None
    # What was wrong then.
    faults: int

    def lag(self, now: int) -> int:
        """Return how long the first entry that waits has done so."""
        return 0 if self.waiting_since is None else max(0, now - self.waiting_since)


def read_state(session: Session) -> State:
    """Return the state of the chain, cheaply: nothing is verified."""
    head = session.scalar(select(AuditHead).order_by(AuditHead.position.desc()).limit(1))
    waiting, since = _waiting(session)
    verified = session.scalar(
        select(AuditEntry)
        .where(AuditEntry.act == Act.AUDIT_VERIFIED)
        .order_by(AuditEntry.at.desc())
        .limit(1)
    )
    return State(
        position=0 if head is None else head.position,
        signed_at=None if head is None else head.at,
        waiting=waiting,
        waiting_since=since,
        verified_at=None if verified is None else verified.at,
        faults=0 if verified is None else int(detail_of(verified).get("faults", 0)),
    )


def _waiting(session: Session) -> tuple[int, int | None]:
    highest = session.scalar(select(func.max(AuditLink.audit_id))) or 0
    some = select(AuditEntry.at).where(AuditEntry.id > highest).limit(COUNTED + 1).subquery()
    count, since = session.execute(select(func.count(), func.min(some.c.at))).one()
    return count, since
