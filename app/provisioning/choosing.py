"""Which services an account has, and an activation left waiting for a person's device.

Needs PEOPLE_PROVISION.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.activation.account_services import NotAllowedError, ensure_services
from app.activation.ending import By, forget_answers, kill_told
from app.activation.issue import wait_for_device
from app.activation.revocation import end_keys
from app.audit import Act
from app.models import (
    AccountService,
    Activation,
    ActivationState,
    EndedKey,
    MailAccount,
    ServiceGrant,
    ServiceKey,
    ServiceName,
    new_id,
)
from app.models.tables import SERVICE_KEY
from app.outbox.kinds import MailKind
from app.provisioning.acts import (
    Deed,
    GoneError,
    Here,
    UnusableError,
    begin,
    refuse_disabled,
)
from app.staff.reach import Actor


def choose_services(
    session: Session,
    actor: Actor,
    person_id: str,
    account_id: str,
    services: Collection[str],
    *,
    reason: str,
    here: Here,
) -> None:
    """Give an account exactly these services; the keys of those that it loses end.

    What was waiting for a device waits for the chosen ones then. Raises UnusableError, GoneError,
    ReasonError, OutOfReachError, ColleagueError, DisabledPersonError.
    """
    chosen = usable_services(services)
    deed = begin(session, actor, person_id, reason=reason, now=here.now, entropy=here.entropy)
    refuse_disabled(session, person_id)
    account = session.scalar(
        select(MailAccount)
        .where(MailAccount.id == account_id, MailAccount.person_id == person_id)
        .with_for_update()
    )
    if account is None:
        raise GoneError
    was_waiting = bool(_waiting(session, account_id))
    give(session, account, chosen, here)
    take_back(session, account, chosen, deed.by)
    if was_waiting:
        wait(deed, account, chosen, here)
    told = " ".join(chosen)
    deed.note(Act.SERVICES_CHOSEN, account_id, account=account.address, chosen=told)
    deed.tell(MailKind.SERVICES_CHOSEN, account=account.address, services=told)


def request_for(
    session: Session,
    actor: Actor,
    person_id: str,
    account_id: str,
    services: Collection[str],
    *,
    reason: str,
    here: Here,
) -> str:
    """Leave an activation of these services waiting for the person's device; return its id.

    Raises UnusableError where the account lacks one of them, else as ``choose_services``.
    """
    chosen = usable_services(services)
    deed = begin(session, actor, person_id, reason=reason, now=here.now, entropy=here.entropy)
    refuse_disabled(session, person_id)
    account = session.scalar(
        select(MailAccount).where(MailAccount.id == account_id, MailAccount.person_id == person_id)
    )
    if account is None:
        raise GoneError
    activation_id = wait(deed, account, chosen, here)
    told = " ".join(chosen)
    deed.tell(MailKind.SERVICES_CHOSEN, account=account.address, services=told)
    return activation_id


def usable_services(untrusted: Collection[str]) -> list[str]:
    """Return the services in their order, or raise UnusableError; none at all are not usable."""
    chosen = [each.value for each in ServiceName if each in untrusted]
    if not chosen or not set(untrusted) <= set(ServiceName):
        raise UnusableError("services")
    return chosen


def give(session: Session, account: MailAccount, services: Collection[str], here: Here) -> None:
    """Add the services that an account lacks."""
    ensure_services(
        session,
        account.id,
        shard=here.config.shard,
        now=here.now,
        entropy=here.entropy,
        chosen=services,
    )


def take_back(session: Session, account: MailAccount, kept: Collection[str], by: By) -> None:
    """Remove the services that are not kept, with their keys and what leads to some."""
    going = session.scalars(
        select(AccountService.id).where(
            AccountService.account_id == account.id, AccountService.service.not_in(kept)
        )
    ).all()
    if not going:
        return
    connection = session.connection()
    kill_told(connection, _leading_to(session, going), by, reason="service-taken")
    end_keys(connection, SERVICE_KEY.c.account_service_id.in_(going), account.person_id, by)
    keys = session.execute(
        select(ServiceKey.id, ServiceKey.activation_id).where(
            ServiceKey.account_service_id.in_(going)
        )
    ).all()
    # Their devices may ask at any time, and are told then.
    session.add_all(EndedKey(id=key.id, ended_at=by.now) for key in keys)
    session.execute(delete(ServiceKey).where(ServiceKey.account_service_id.in_(going)))
    session.execute(delete(ServiceGrant).where(ServiceGrant.account_service_id.in_(going)))
    forget_answers(connection, (key.activation_id for key in keys))
    session.execute(delete(AccountService).where(AccountService.id.in_(going)))


def wait(deed: Deed, account: MailAccount, services: Collection[str], here: Here) -> str:
    """Leave an activation of an account's services waiting for a device and return its id."""
    services_of = select(AccountService.service, AccountService.id).where(
        AccountService.account_id == account.id
    )
    ids = dict(deed.session.execute(services_of).all())
    try:
        return wait_for_device(
            deed.session.connection(),
            person_id=deed.person_id,
            account_service_ids=[ids.get(each, "") for each in ServiceName if each in services],
            ticket=new_id(here.entropy),
            now=here.now,
            entropy=here.entropy,
            config=here.config,
            made_by=deed.actor.actor,
            detail={"reason": deed.reason},
        )
    except NotAllowedError:
        raise UnusableError("services") from None


def _waiting(session: Session, account_id: str) -> Sequence[str]:
    """Return what staff left waiting at an account."""
    return session.scalars(
        select(Activation.id)
        .join(ServiceGrant, ServiceGrant.activation_id == Activation.id)
        .join(AccountService, AccountService.id == ServiceGrant.account_service_id)
        .where(
            AccountService.account_id == account_id,
            Activation.state == ActivationState.OPEN,
            Activation.kind == "document",
            Activation.made_by.is_not(None),
        )
    ).all()


def _leading_to(session: Session, account_service_ids: Sequence[str]) -> Sequence[str]:
    """Return what is open and would make keys for these services."""
    return session.scalars(
        select(Activation.id)
        .join(ServiceGrant, ServiceGrant.activation_id == Activation.id)
        .where(
            ServiceGrant.account_service_id.in_(account_service_ids),
            Activation.state == ActivationState.OPEN,
        )
        .distinct()
    ).all()
