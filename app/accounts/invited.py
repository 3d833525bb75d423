"""What staff set up for an address, and how it becomes its owner's once they come.

Who proves an address by signing in at its mail server takes over the person that was invited with
it: the same row, with the services and the activation that wait. Somebody who is known already and
adds the address keeps their own person, and what was set up goes to them. Nobody's keys ever go
with an invitation. docs/decisions/0020 says why.
"""

from __future__ import annotations

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from app.accounts.ending_invitations import end_invitations
from app.activation.ending import By, kill_told
from app.audit import Act, record
from app.mailservers.server import VouchedBy
from app.models import (
    Activation,
    ActivationState,
    Device,
    GroupMember,
    Invitation,
    InvitationState,
    MailAccount,
    MailChallenge,
    OutgoingMail,
    Person,
    PersonTerm,
    WebSession,
)
from app.models.tables import INVITATION
from app.people import terms


def find_open(session: Session, address: str) -> Invitation | None:
    """Return the open invitation for an address, over its time or not."""
    return session.scalar(
        select(Invitation).where(
            Invitation.address == address, Invitation.state == InvitationState.OPEN
        )
    )


def account_set_up(session: Session, address: str, *, now: int) -> MailAccount | None:
    """Return the account that staff set up for an address and that still waits for its owner.

    Its invitation is open, or was accepted by a typed code, which proves no address.
    """
    is_good = (Invitation.state == InvitationState.ACCEPTED) | (
        (Invitation.state == InvitationState.OPEN) & (Invitation.expires_at > now)
    )
    return session.scalar(
        select(MailAccount)
        .join(
            Invitation,
            (Invitation.person_id == MailAccount.person_id)
            & (Invitation.address == MailAccount.address),
        )
        .where(
            MailAccount.address == address,
            MailAccount.proven_at.is_(None),
            MailAccount.vouched_by == VouchedBy.STAFF,
            is_good,
        )
        .order_by(Invitation.created_at.desc(), Invitation.id)
        .limit(1)
    )


def is_known(session: Session, person_id: str) -> bool:
    """Tell whether a person has proven any address: then no other one makes somebody them."""
    proven = exists().where(MailAccount.person_id == person_id, MailAccount.proven_at.is_not(None))
    return bool(session.scalar(select(proven)))


def accept(session: Session, account: MailAccount, *, now: int) -> Invitation | None:
    """Note that the owner of an account has come; return the invitation that this accepted."""
    found = find_open(session, account.address)
    if found is None or found.person_id != account.person_id or found.expires_at <= now:
        return None
    return found if _accept(session, found, account.person_id, now) else None


def hand_over(session: Session, account: MailAccount, heir: str, *, now: int) -> bool:
    """Give what waits at an account to somebody who is known already and proves its address.

    The person that was made for it disappears. False where they hold more than what waits, since
    a device that used a typed code has keys: those are nobody else's.
    """
    empty = account.person_id
    invitation = find_open(session, account.address)
    if invitation is None or invitation.person_id != empty or _holds_more(session, account):
        return False
    if not _accept(session, invitation, heir, now):
        return False
    record(
        session,
        at=now,
        actor=invitation.invited_by,
        act=Act.SERVICES_CHOSEN,
        subject=heir,
        target=account.id,
        detail={
            "account": account.address,
            "chosen": invitation.services,
            "reason": invitation.reason,
        },
    )
    _move(session, empty, heir, now)
    session.refresh(account)
    terms.refresh(session, heir)
    return True


def _accept(session: Session, invitation: Invitation, who: str, now: int) -> bool:
    """End an invitation because its owner came; False when somebody else was first."""
    accepted = end_invitations(
        session.connection(),
        INVITATION.c.id == invitation.id,
        InvitationState.ACCEPTED,
        actor=f"person:{who}",
        now=now,
        heir=who,
    )
    return bool(accepted)


def _holds_more(session: Session, account: MailAccount) -> bool:
    person_id = account.person_id
    more = (
        exists().where(Device.person_id == person_id),
        exists().where(MailAccount.person_id == person_id, MailAccount.id != account.id),
    )
    return any(session.scalar(select(each)) for each in more)


def _move(session: Session, empty: str, heir: str, now: int) -> None:
    """Move what waits; codes that were read out to somebody end, and groups are not inherited."""
    codes = session.scalars(
        select(Activation.id).where(
            Activation.person_id == empty,
            Activation.state == ActivationState.OPEN,
            Activation.kind != "document",
        )
    ).all()
    for model in (MailAccount, Activation, Invitation, OutgoingMail):
        session.execute(
            update(model)
            .where(model.person_id == empty)
            .values(person_id=heir)
            .execution_options(synchronize_session=False)
        )
    kill_told(session.connection(), codes, By(now, f"person:{heir}"), reason="handed-over")
    for gone in (PersonTerm, GroupMember, MailChallenge, WebSession):
        session.execute(
            delete(gone).where(gone.person_id == empty).execution_options(synchronize_session=False)
        )
    session.execute(
        delete(Person).where(Person.id == empty).execution_options(synchronize_session=False)
    )
