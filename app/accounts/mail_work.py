"""The slow half of a sign-in, in a bounded pool: find the mail server, try the credential.

A credential lives in the memory of one task and nowhere else; the row tells how far it got.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Event
from typing import Final, TypeVar

from sqlalchemy.orm import Session

from app import logs
from app.accounts import mail_checks
from app.accounts.mail_checks import ACCEPTED, Step
from app.accounts.proof import note_failure
from app.addresses import sender
from app.clock import SECOND, Clock
from app.database import Database, DatabaseUnavailableError
from app.mailservers.address import MailAddress
from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.check import Checked, check
from app.mailservers.deadline import Deadline
from app.mailservers.discovery import discover
from app.mailservers.network import Network
from app.mailservers.pool import MailPool
from app.mailservers.progress import Progress, Stage, silent
from app.mailservers.provider import Credential
from app.mailservers.server import MailPin, MailServer
from app.models import MailPin as PinRow

T = TypeVar("T")
# Beyond the deadline of a check, the time to write down how it ended.
GRACE_SECONDS: Final = 10


@dataclass(frozen=True)
class Try:
    """One credential to be tried; it is not in this object's text."""

    check_id: str
    # The addresses that it counts for as a guess: their owners are told when it fails.
    guessable: frozenset[str]
    server: MailServer
    username: str
    password: str = field(repr=False)
    client_address: str


class MailWork:
    """Runs discovery and checks beside the requests, and writes down how they end."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        pool: MailPool,
        network: Network,
        *,
        seconds: int,
        on_check: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._database, self._clock, self._pool = database, clock, pool
        self._network, self._seconds = network, seconds
        # Told how each credential that was tried fared: a cause, or "accepted".
        self._on_check = on_check

    def find(self, check_id: str, address: MailAddress, client_address: str) -> Event:
        """Start to look for the mail server; the event is set when the row tells the result."""

        def done(session: Session, server: MailServer) -> None:
            mail_checks.found(session, check_id, server, server.username_for(address))

        def failed(session: Session, error: MailCheckError) -> None:
            mail_checks.end(session, check_id, error.cause, error.why)

        return self._start(
            lambda deadline: self.discover(address, deadline), done, failed, client_address
        )

    def attempt(self, attempt: Try) -> Event:
        """Start to try a credential; the event is set when the row tells the result."""

        def done(session: Session, _checked: Checked) -> None:
            mail_checks.end(session, attempt.check_id, ACCEPTED)

        def failed(session: Session, error: MailCheckError) -> None:
            if mail_checks.end(session, attempt.check_id, error.cause, error.why):
                self._tell_owners(session, attempt, error)

        def reach(stage: Stage) -> None:
            self._reach(attempt.check_id, stage)

        return self._start(
            lambda deadline: self._check(attempt, deadline, reach),
            done,
            failed,
            attempt.client_address,
        )

    def submit(self, work: Callable[[Deadline], T], client_address: str) -> Future[T]:
        """Start other work of this kind; it ends at its deadline. Raises BUSY."""
        return self._pool.submit(work, seconds=self._seconds, sender=sender(client_address))

    def discover(self, address: MailAddress, deadline: Deadline) -> MailServer:
        """Find the mail server of an address, here and now."""
        return discover(address, pins=self._pin, deadline=deadline, network=self._network)

    def check_now(self, attempt: Try, deadline: Deadline) -> Checked:
        """Try a credential, here and now, and tell the owners if it fails."""
        try:
            return self._check(attempt, deadline, silent)
        except MailCheckError as error:
            failed = error
            self._write(lambda session: self._tell_owners(session, attempt, failed))
            raise

    def is_lost(self, view: mail_checks.View, *, now: int) -> bool:
        """Tell whether the process that worked on a check must have died."""
        return view.is_working and now - view.began_at > (self._seconds + GRACE_SECONDS) * SECOND

    def close(self) -> None:
        """End the pool."""
        self._pool.close()

    def _start(
        self,
        work: Callable[[Deadline], T],
        done: Callable[[Session, T], None],
        failed: Callable[[Session, MailCheckError], None],
        client_address: str,
    ) -> Event:
        told = Event()

        def tell(future: Future[T]) -> None:
            error = future.exception()
            if error is None:
                result = future.result()
                self._write(lambda session: done(session, result))
            else:
                cause = cause_of(error)
                self._write(lambda session: failed(session, cause))
            told.set()

        try:
            future = self.submit(work, client_address)
            future.add_done_callback(tell)
        except MailCheckError as busy:
            cause = busy
            self._write(lambda session: failed(session, cause))
            told.set()
        return told

    def _check(self, attempt: Try, deadline: Deadline, progress: Progress) -> Checked:
        try:
            checked = check(
                attempt.server,
                attempt.username,
                attempt.password,
                deadline=deadline,
                client_address=attempt.client_address or None,
                progress=progress,
                network=self._network,
            )
        except MailCheckError as error:
            self._on_check(error.cause)
            raise
        self._on_check(ACCEPTED)
        return checked

    def _tell_owners(self, session: Session, attempt: Try, error: MailCheckError) -> None:
        for address in sorted(attempt.guessable):
            note_failure(session, address, error.cause, now=self._clock.now())

    def _reach(self, check_id: str, stage: Stage) -> None:
        # Only what the person sees is worth a write; "connecting" was noted with the start.
        if stage is Stage.SIGNING_IN:
            self._write(lambda session: mail_checks.reach(session, check_id, Step.SIGNING_IN))

    def _write(self, change: Callable[[Session], object]) -> None:
        try:
            with self._database.write() as session:
                change(session)
        except DatabaseUnavailableError:
            # The page finds the check lost after its deadline and offers another attempt.
            logs.event("mail check not noted", logging.ERROR)

    def _pin(self, domain: str) -> MailPin | None:
        with self._database.read() as session:
            row = session.get(PinRow, domain)
        return None if row is None else _as_pin(row)


def cause_of(error: BaseException) -> MailCheckError:
    """Return what a person is told about an error; a bug of ours is told as "undecided"."""
    if isinstance(error, MailCheckError):
        logs.event("mail check failed", cause=error.cause, why=error.why)
        return error
    logs.log.error("mail check broke", exc_info=error)
    return MailCheckError(Cause.UNDECIDED)


def _as_pin(row: PinRow) -> MailPin:
    return MailPin(
        host=row.host,
        port=row.port,
        security="starttls" if row.security == "starttls" else "tls",
        ca_pem=row.ca_pem,
        username_form="local-part" if row.username_form == "local-part" else "address",
        credential=Credential(row.credential),
    )
