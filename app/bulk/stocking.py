"""Passwords made ahead for everybody on a list, some lines at a time, once the list was taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.activation.stock import put_stock, stock_rows
from app.clock import Clock
from app.database import Database, changed
from app.keystore.sealing import Sealer
from app.models import AccountService, ImportJob, ImportState, Invitation, MailAccount

BATCH: Final = 200


def stock_some(
    database: Database, clock: Clock, entropy: Callable[[int], bytes], sealer: Sealer
) -> bool:
    """Make stock for the next people of the oldest list; tell whether there was anything to do.

    The stock and how far it has come are one transaction: nothing is made twice.
    """
    now = clock.now()
    with database.read() as session:
        job = session.scalar(
            select(ImportJob)
            .where(ImportJob.state == ImportState.STOCKING)
            .order_by(ImportJob.created_at, ImportJob.id)
            .limit(1)
        )
        if job is None:
            return False
        invited = session.execute(
            select(Invitation.id, Invitation.person_id)
            .where(Invitation.import_id == job.id, Invitation.id > (job.cursor or ""))
            .order_by(Invitation.id)
            .limit(BATCH)
        ).all()
        services = _services(session, [row.person_id for row in invited])
    rows = stock_rows(services, job.stock, now=now, entropy=entropy, sealer=sealer)
    last = invited[-1].id if len(invited) == BATCH else None
    with database.write() as session:
        if _note(session, job, len(invited), last, now) and rows:
            put_stock(session.connection(), rows, now=now, actor=job.made_by, reason=job.reason)
    return True


def _services(session: Session, person_ids: Sequence[str]) -> Sequence[str]:
    return session.scalars(
        select(AccountService.id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(MailAccount.person_id.in_(person_ids))
        .order_by(AccountService.id)
    ).all()


def _note(session: Session, job: ImportJob, count: int, last: str | None, now: int) -> bool:
    """Note how far it has come; ``last`` is None at the end. False if another was first."""
    is_over = last is None
    noted = session.execute(
        update(ImportJob)
        .where(
            ImportJob.id == job.id,
            ImportJob.state == ImportState.STOCKING,
            ImportJob.done == job.done,
        )
        .values(
            done=job.lines if is_over else job.done + count,
            cursor=last,
            state=ImportState.DONE if is_over else ImportState.STOCKING,
            ended_at=now if is_over else None,
        )
    )
    return changed(noted) == 1
