"""The end of a person: one act after which nothing personal of them is kept.

Keys end first, so that their devices are told by signed notices; a notice needs nothing but the
key's id. The records of the audit stay, with ids and moments, but their detail goes. The person's
own row goes too: nothing refers to it any more (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from app.accounts.posting import post_address
from app.accounts.removal import remove_account
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
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.people.terms import normal
from app.provisioning.acts import usable_reason
from app.staff import reach
from app.staff.reach import Actor, OutOfReachError

BY_THEMSELVES = "by-owner"


class NotTypedError(Exception):
    """What was typed is neither the person's name nor an address of theirs."""


class TellingReasonError(Exception):
    """The reason names the person, and it is kept when they are gone."""


def delete_person(
    session: Session,
    actor: Actor,
    person_id: str,
    *,
    typed: str,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Delete somebody on their behalf.

    Raises ReasonError, OutOfReachError, ColleagueError, NotTypedError and TellingReasonError.
    """
    written = usable_reason(reason)
    reach.check(session, actor, person_id)
    names = _names(session, person_id)
    if normal(typed).strip() not in names | {normal(person_id)}:
        raise NotTypedError
    if any(name in normal(written) for name in names):
        raise TellingReasonError
    _delete(session, person_id, actor.actor, written, now, entropy)


def delete_oneself(
    session: Session,
    person_id: str,
    *,
    typed: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    """Delete the person who asks for it; raises NotTypedError."""
    if normal(typed).strip() not in _names(session, person_id):
        raise NotTypedError
    _delete(session, person_id, f"person:{person_id}", BY_THEMSELVES, now, entropy)


def _names(session: Session, person_id: str) -> set[str]:
    """Return what the person may be called, in one spelling: their name and addresses."""
    name = session.scalar(select(Person.name).where(Person.id == person_id)) or ""
    return {normal(each).strip() for each in (name, *_addresses(session, person_id)) if each}


def _addresses(session: Session, person_id: str) -> set[str]:
    found: set[str] = set()
    for table in (MailAccount, Invitation, OutgoingMail):
        found |= set(
            session.scalars(select(table.address).where(table.person_id == person_id)).all()
        )
    return found


def _delete(
    session: Session,
    person_id: str,
    actor: str,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> None:
    # Whoever would add something of theirs waits here, and finds nobody.
    person = session.scalar(select(Person).where(Person.id == person_id).with_for_update())
    if person is None:
        raise OutOfReachError
    address, language = post_address(session, person_id), person.language
    addresses = _addresses(session, person_id)
    for account in session.scalars(select(MailAccount).where(MailAccount.person_id == person_id)):
        remove_account(session, account, actor=actor, reason="deleted", now=now)
    session.flush()
    _remove_things(session, person_id)
    _remove_traces(session, person_id, sorted(addresses))
    session.execute(delete(Person).where(Person.id == person_id))
    session.expunge(person)
    _erase_details(session, person_id)
    if address is not None:
        # The row of this mail goes when it was sent.
        queue(
            session,
            person_id=None,
            address=address,
            kind=MailKind.DATA_DELETED,
            facts={},
            language=language,
            now=now,
            entropy=entropy,
        )
    facts = {"reason": reason}
    act = Act.PERSON_DELETED
    record(session, at=now, actor=actor, act=act, subject=person_id, target=person_id, detail=facts)


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
