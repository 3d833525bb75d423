"""Finish what an accepted mail check allows: a session, or a further account. No framework here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.accounts import mail_checks, passing_on, proof, sessions
from app.audit import Act, record
from app.crashpoints import crashpoint
from app.database import Database
from app.throttle import Throttles

T = TypeVar("T")
NEXT: Final = "next"


class NothingToFinishError(Exception):
    """There is no accepted check of this session, or it was used already."""


@dataclass(frozen=True)
class NewSession:
    """A fresh session: the only time its token is known outside of the browser."""

    token: str = field(repr=False)
    session_id: str
    person_id: str
    wanted: object


def sign_in(
    database: Database,
    check_id: str,
    session_id: str,
    client: sessions.Client,
    here: proof.Here,
    *,
    lifetime: int,
    anew: bool = False,
) -> NewSession:
    """Make the person whom the check proves the owner of a new session; the old one ends.

    Raises NothingToFinishError, and what ``proof.sign_in`` does; the check can be used then.
    """

    def work(session: Session) -> NewSession:
        check = _use(database, session, check_id, session_id, here)
        person_id = proof.sign_in(session, check, here, anew=anew)
        wanted = sessions.NOTES.read(session, session_id, NEXT)
        sessions.replace(session, session_id, now=here.now)
        token = sessions.new_token(here.entropy)
        row = sessions.start(
            session,
            token,
            client,
            person_id=person_id,
            now=here.now,
            lifetime=lifetime,
            entropy=here.entropy,
        )
        Throttles(database).forgive(session, check.address, client.address, now=here.now)
        record(
            session,
            at=here.now,
            actor=f"person:{person_id}",
            act=Act.SIGNED_IN,
            subject=person_id,
            target=row.id,
            detail={"account": check.address, "address": client.address},
        )
        return NewSession(token, row.id, person_id, wanted)

    made = once_more(database, work)
    crashpoint("arrival.committed")
    return made


def add_account(
    database: Database,
    check_id: str,
    session_id: str,
    person_id: str,
    here: proof.Here,
    *,
    anew: bool = False,
) -> str:
    """Add the checked account to a person who is signed in and return its address.

    Raises NothingToFinishError, and what ``proof.add_account`` does.
    """

    def work(session: Session) -> tuple[str, proof.AddressTakenError | None]:
        check = _use(database, session, check_id, session_id, here)
        try:
            proof.add_account(session, person_id, check, here, anew=anew)
        except proof.AddressTakenError as taken:
            note_contested(session, check, here)
            return check.address, taken
        return check.address, None

    address, taken = once_more(database, work)
    if taken is not None:
        raise taken
    return address


def note_contested(session: Session, check: mail_checks.View, here: proof.Here) -> None:
    """Tell the owner of an address of somebody else who can sign in to its mailbox.

    A server that they named themselves shows nothing, and is not worth a word to anybody.
    """
    if proof.is_proof(check):
        passing_on.note_contested(session, check.address, now=here.now, entropy=here.entropy)


def _use(
    database: Database, session: Session, check_id: str, session_id: str, here: proof.Here
) -> mail_checks.View:
    check = mail_checks.use(session, check_id, session_id, now=here.now)
    if check is None:
        raise NothingToFinishError
    # An unproven claim must not slip in while the rightful owner proves the address.
    database.queue_for(session, check.address)
    return check


def once_more(database: Database, work: Callable[[Session], T]) -> T:
    """Do the work in one transaction; again if the same address came from elsewhere just then."""
    try:
        with database.write() as session:
            return work(session)
    except IntegrityError:
        with database.write() as session:
            return work(session)
