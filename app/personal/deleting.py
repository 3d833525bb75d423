"""The end of a person: one act after which nothing personal of them is kept.

Keys end first, so that their devices are told by signed notices; a notice needs nothing but the
key's id. The records of the audit stay, with ids and moments, but their detail goes. The person's
own row goes too: nothing refers to it any more (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.posting import post_address
from app.accounts.removal import remove_account
from app.audit import Act, record
from app.models import (
    Invitation,
    MailAccount,
    OutgoingMail,
    Person,
)
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.people.erasing import erase
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
    if any(_tells(normal(written), name) for name in names):
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


def _tells(text: str, name: str) -> bool:
    """Tell whether a text names somebody: by an address anywhere, by a name as whole words.

    Both are case-folded. Scripts without small letters may write words together.
    """
    at = text.find(name)
    while at >= 0:
        before, after = text[max(at - 1, 0) : at], text[at + len(name) :][:1]
        if "@" in name or not (before.islower() or after.islower()):
            return True
        at = text.find(name, at + 1)
    return False


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
    erase(session, person, sorted(addresses))
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
