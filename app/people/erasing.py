"""Everything that is kept about a person goes; the records of the audit stay without detail."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import (
    Activation,
    ApiAnswer,
    AuditEntry,
    Device,
    GroupMember,
    ImportLine,
    Invitation,
    MailAccount,
    MailChallenge,
    MailCheck,
    OutgoingMail,
    Person,
    PersonTerm,
    Run,
    ServiceGrant,
    WebSession,
)


def erase(session: Session, person: Person, addresses: Sequence[str]) -> None:
    """Remove a person who has no accounts any more, and what names one of these addresses."""
    _remove_things(session, person.id)
    _remove_traces(session, person.id, addresses)
    session.execute(delete(Person).where(Person.id == person.id))
    session.expunge(person)
    _erase_details(session, person.id)


def erase_if_empty(session: Session, person_id: str, *, reason: str, now: int) -> bool:
    """Remove a person who was only set up, once their last address is somebody else's.

    Nobody can become them any more: no account, no device. Who is shut out stays as a mark of it.
    """
    person = session.scalar(
        select(Person)
        .where(
            Person.id == person_id,
            Person.disabled_at.is_(None),
            ~exists().where(MailAccount.person_id == Person.id),
            ~exists().where(Device.person_id == Person.id),
        )
        .with_for_update()
    )
    if person is None:
        return False
    # The address is another's now, and so is what else names it.
    erase(session, person, ())
    record(
        session,
        at=now,
        actor="system",
        act=Act.PERSON_DELETED,
        subject=person_id,
        target=person_id,
        detail={"reason": reason},
    )
    return True


def _remove_things(session: Session, person_id: str) -> None:
    """Remove activations, devices and sessions; what refers to a thing goes before it."""
    activations = select(Activation.id).where(Activation.person_id == person_id)
    sessions = select(WebSession.id).where(WebSession.person_id == person_id)
    for statement in (
        delete(Run).where(Run.activation_id.in_(activations)),
        delete(ServiceGrant).where(ServiceGrant.activation_id.in_(activations)),
        delete(Activation).where(Activation.person_id == person_id),
        delete(Device).where(Device.person_id == person_id),
        delete(MailCheck).where(MailCheck.session_id.in_(sessions)),
        delete(WebSession).where(WebSession.person_id == person_id),
    ):
        session.execute(statement)


def _remove_traces(session: Session, person_id: str, addresses: Sequence[str]) -> None:
    """Remove what staff set up, mail, and the lists and checks in which an address stands."""
    lines = ImportLine.normal.in_(addresses) | ImportLine.address.in_(addresses)
    for statement in (
        delete(MailChallenge).where(MailChallenge.person_id == person_id),
        delete(Invitation).where(Invitation.person_id == person_id),
        delete(OutgoingMail).where(
            or_(
                OutgoingMail.person_id == person_id,
                OutgoingMail.person_id.is_(None) & OutgoingMail.address.in_(addresses),
            )
        ),
        delete(MailCheck).where(MailCheck.address.in_(addresses)),
        update(ImportLine).where(lines).values(address="", normal=None, name="", groups=""),
        delete(ApiAnswer).where(ApiAnswer.answer.contains(person_id, autoescape=True)),
        delete(GroupMember).where(GroupMember.person_id == person_id),
        delete(PersonTerm).where(PersonTerm.person_id == person_id),
    ):
        session.execute(statement)


def _erase_details(session: Session, person_id: str) -> None:
    """Let the records of what concerned them, or was done by them, keep no detail."""
    theirs = or_(AuditEntry.subject_id == person_id, AuditEntry.actor == f"person:{person_id}")
    session.execute(
        update(AuditEntry)
        .where(theirs, AuditEntry.detail.is_not(None))
        .values(detail=None, salt=None)
    )
