"""Invitations that are open: sent again, withdrawn. Needs PEOPLE_PROVISION."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.accounts.ending_invitations import end_invitations
from app.accounts.invited import is_known
from app.accounts.removal import remove_account
from app.activation.ending import By, kill_told
from app.audit import Act
from app.clock import DAY, HOUR
from app.models import (
    AccountService,
    Activation,
    ActivationState,
    Invitation,
    InvitationState,
    MailAccount,
    OutgoingMail,
    ServiceGrant,
)
from app.models.tables import INVITATION
from app.outbox.kinds import MailKind
from app.provisioning.acts import Deed, GoneError, Here, begin
from app.provisioning.choosing import wait
from app.staff.reach import Actor, OutOfReachError

# So many mails of an invitation at most in one hour: its address may be a stranger's.
MOST_MAILS: Final = 3


class TooSoonError(Exception):
    """The invitation was sent often enough for now."""


def resend(session: Session, actor: Actor, invitation_id: str, *, reason: str, here: Here) -> None:
    """Send an open invitation again; its time, and that of what waits with it, begins anew.

    Raises GoneError, TooSoonError, ReasonError, OutOfReachError, ColleagueError.
    """
    invitation = _invitation(session, invitation_id)
    deed = begin(
        session, actor, invitation.person_id, reason=reason, now=here.now, entropy=here.entropy
    )
    _refuse_too_soon(session, invitation, here.now)
    until = here.now + here.config.activation_days * DAY
    renewed = session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation_id,
            Invitation.state == InvitationState.OPEN,
            Invitation.expires_at > here.now,
        )
        .values(expires_at=until)
        .returning(Invitation.id)
    ).first()
    account = _account_of(session, invitation)
    if renewed is None or account is None:
        raise GoneError
    deed.note(Act.PERSON_INVITED_AGAIN, invitation_id, account=invitation.address)
    if is_known(session, invitation.person_id):
        # It is a new address of somebody who signs in with another one.
        address = invitation.address
        deed.tell(MailKind.ADDRESS_ENTERED, address, account=address, until=until)
        return
    wait(deed, account, invitation.services.split(), here)
    send(deed, MailKind.INVITED_AGAIN, invitation.address, invitation.services, until)


def withdraw(
    session: Session,
    actor: Actor,
    invitation_id: str,
    *,
    reason: str,
    here: Here,
) -> None:
    """End an open invitation and what waits with it; the person stays, without any service.

    Raises GoneError, ReasonError, OutOfReachError, ColleagueError.
    """
    invitation = _invitation(session, invitation_id)
    deed = begin(
        session, actor, invitation.person_id, reason=reason, now=here.now, entropy=here.entropy
    )
    withdrawn = end_invitations(
        session.connection(),
        INVITATION.c.id == invitation_id,
        InvitationState.WITHDRAWN,
        actor=actor.actor,
        now=here.now,
        detail=deed.by.detail,
    )
    if not withdrawn:
        raise GoneError
    _stop_waiting(session, invitation, deed.by, "withdrawn")
    drop_entered(session, invitation, actor.actor, "withdrawn", here.now, why=deed.reason)
    deed.tell(MailKind.WITHDRAWN, invitation.address, account=invitation.address)


def expire_one(session: Session, invitation_id: str, *, now: int) -> bool:
    """End an invitation that is over its time; False when it was sent again, or has ended."""
    expired = end_invitations(
        session.connection(),
        (INVITATION.c.id == invitation_id) & (INVITATION.c.expires_at <= now),
        InvitationState.EXPIRED,
        actor="system",
        now=now,
    )
    if expired:
        invitation = session.get_one(Invitation, invitation_id)
        drop_entered(session, invitation, "system", "expired", now)
    return bool(expired)


def send(deed: Deed, kind: MailKind, address: str, services: str, until: int) -> None:
    """Queue the mail that an invitation goes out with."""
    deed.tell(kind, address, account=address, services=services, until=until)


def drop_entered(
    session: Session,
    invitation: Invitation,
    actor: str,
    cause: str,
    now: int,
    why: str | None = None,
) -> None:
    """Take a new address off somebody who signs in with another and never proved this one."""
    account = _account_of(session, invitation)
    if (
        account is not None
        and account.proven_at is None
        and account.host is None
        and is_known(session, invitation.person_id)
    ):
        remove_account(session, account, actor=actor, reason=cause, now=now, why=why)


def _stop_waiting(session: Session, invitation: Invitation, by: By, reason: str) -> None:
    """End what waits for a device, by whatever way, at the account of an invitation."""
    waiting = session.scalars(
        select(Activation.id)
        .join(ServiceGrant, ServiceGrant.activation_id == Activation.id)
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .join(MailAccount, MailAccount.id == AccountService.account_id)
        .where(
            MailAccount.person_id == invitation.person_id,
            MailAccount.address == invitation.address,
            Activation.state == ActivationState.OPEN,
        )
        .distinct()
    ).all()
    kill_told(session.connection(), waiting, by, reason=reason)


def _invitation(session: Session, invitation_id: str) -> Invitation:
    found = session.get(Invitation, invitation_id)
    if found is None:
        # As for one of somebody whom the actor cannot see.
        raise OutOfReachError
    return found


def _account_of(session: Session, invitation: Invitation) -> MailAccount | None:
    return session.scalar(
        select(MailAccount).where(
            MailAccount.person_id == invitation.person_id,
            MailAccount.address == invitation.address,
        )
    )


def _refuse_too_soon(session: Session, invitation: Invitation, now: int) -> None:
    kinds = (MailKind.INVITED.value, MailKind.INVITED_AGAIN.value)
    sent = session.scalar(
        select(func.count()).where(
            OutgoingMail.person_id == invitation.person_id,
            OutgoingMail.address == invitation.address,
            OutgoingMail.kind.in_(kinds),
            OutgoingMail.created_at > now - HOUR,
        )
    )
    if (sent or 0) >= MOST_MAILS:
        raise TooSoonError
