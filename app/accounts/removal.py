"""The end of a mail account, whoever ends it, with everything that hangs on it."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.activation.ending import forget_answers, kill
from app.audit import Act, record
from app.models import (
    AccountService,
    EndedKey,
    KeyState,
    MailAccount,
    MailChallenge,
    ServiceGrant,
    ServiceKey,
)
from app.people import terms


def remove_account(
    database: Session,
    account: MailAccount,
    *,
    actor: str,
    reason: str,
    now: int,
    why: str | None = None,
) -> None:
    """Remove an account with its services, keys and open activations, audited.

    ``reason`` is the short word for why; ``why`` is what staff wrote, where they do it.
    """
    services = select(AccountService.id).where(AccountService.account_id == account.id)
    told = why or reason
    keys = database.scalars(
        select(ServiceKey).where(ServiceKey.account_service_id.in_(services)).with_for_update()
    ).all()
    for key in keys:
        if key.state == KeyState.ACTIVE:
            record_about(database, Act.KEY_REVOKED, account, key.id, actor, told, now)
        # Its device may ask at any time, and is told then.
        database.add(EndedKey(id=key.id, ended_at=now))
    activations = database.scalars(
        select(ServiceGrant.activation_id)
        .where(ServiceGrant.account_service_id.in_(services))
        .distinct()
    ).all()
    open_ones = [each for each in activations if each]
    for killed in kill(database.connection(), open_ones, reason=reason):
        record_about(database, Act.ACTIVATION_ENDED, account, killed, actor, told, now)
    gone = [key.activation_id for key in keys]
    database.execute(delete(ServiceKey).where(ServiceKey.account_service_id.in_(services)))
    database.execute(delete(ServiceGrant).where(ServiceGrant.account_service_id.in_(services)))
    forget_answers(database.connection(), gone)
    database.execute(delete(AccountService).where(AccountService.account_id == account.id))
    database.execute(delete(MailChallenge).where(MailChallenge.account_id == account.id))
    database.execute(delete(MailAccount).where(MailAccount.id == account.id))
    terms.refresh(database, account.person_id)
    record_about(database, Act.ACCOUNT_REMOVED, account, account.id, actor, told, now)


def record_about(
    database: Session,
    act: Act,
    account: MailAccount,
    target: str,
    actor: str,
    reason: str,
    now: int,
) -> None:
    """Add the row of an act on something of an account."""
    record(
        database,
        at=now,
        actor=actor,
        act=act,
        subject=account.person_id,
        target=target,
        detail={"account": account.address, "reason": reason},
    )
