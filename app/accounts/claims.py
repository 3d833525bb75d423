"""Several credentials in one call: each is checked by itself, so none spoils another's result.

They wait side by side in the mail pool, in two rounds: a server or a user name that somebody names
is tried only once another account has shown who it is that names it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from app.accounts import proof
from app.accounts.mail_checks import ACCEPTED, Step, View
from app.accounts.mail_work import MailWork, Try, cause_of
from app.clock import Clock
from app.mailservers.address import MailAddress
from app.mailservers.causes import MailCheckError
from app.mailservers.deadline import Deadline
from app.mailservers.server import MailServer
from app.throttle import Throttles, TooManyError

# How a claim can end beside the causes of a failed mail check.
NOT_VOUCHED: Final = "not-vouched"
NOT_NAMED_YET: Final = "nobody-signed-in"
TOO_MANY: Final = "too-many"


@dataclasses.dataclass(frozen=True)
class Claim:
    """One mail account that somebody says is theirs, with its credential."""

    address: MailAddress
    password: str = dataclasses.field(repr=False)
    # What the person named; None leaves it to discovery.
    server: MailServer | None = None
    username: str | None = None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """How one claim ended: the check's outcome says it, ``retry_at`` when to try again."""

    check: View
    retry_at: int | None = None

    @property
    def is_accepted(self) -> bool:
        """Tell whether the mail server accepted the credential."""
        return self.check.outcome == ACCEPTED


class ClaimChecks:
    """Checks the claims of one call."""

    def __init__(self, mail: MailWork, throttles: Throttles, clock: Clock) -> None:
        self._mail, self._throttles, self._clock = mail, throttles, clock

    def run(
        self, claims: Sequence[Claim], client_address: str, *, is_known: bool = False
    ) -> list[Verdict]:
        """Return how each claim ended, in their order, within two deadlines of a mail check.

        ``is_known`` says that the sender is signed in already. Raises TooManyError when they may
        not even try the first one.
        """
        late = self._count(claims, client_address)
        verdicts = {index: _too_many(claims[index], error) for index, error in late.items()}
        left = [index for index in range(len(claims)) if index not in verdicts]
        verdicts |= self._side_by_side(claims, left, client_address, is_known=is_known)
        if any(proof.is_proof(verdict.check) for verdict in verdicts.values()):
            later = [index for index in left if verdicts[index].check.outcome == NOT_NAMED_YET]
            verdicts |= self._side_by_side(claims, later, client_address, is_known=True)
        return [verdicts[index] for index in range(len(claims))]

    def _count(self, claims: Sequence[Claim], client_address: str) -> dict[int, TooManyError]:
        """Count each claim as an act of its sender; the first one decides on the whole call."""
        late: dict[int, TooManyError] = {}
        for index in range(len(claims)):
            try:
                self._throttles.count_request(client_address, now=self._clock.now())
            except TooManyError as error:
                if index == 0:
                    raise
                late[index] = error
        return late

    def _side_by_side(
        self,
        claims: Sequence[Claim],
        indexes: Sequence[int],
        client_address: str,
        *,
        is_known: bool,
    ) -> dict[int, Verdict]:
        waiting: dict[int, Future[View]] = {}
        verdicts: dict[int, Verdict] = {}
        for index in indexes:
            if claims[index].server is not None and not is_known:
                verdicts[index] = Verdict(_view(claims[index], NOT_NAMED_YET))
                continue
            try:
                work = self._work(claims[index], client_address, is_known=is_known)
                waiting[index] = self._mail.submit(work, client_address)
            except MailCheckError as busy:
                verdicts[index] = Verdict(_view(claims[index], busy.cause))
        for index, future in waiting.items():
            verdicts[index] = _verdict(claims[index], future)
        return verdicts

    def _work(
        self, claim: Claim, client_address: str, *, is_known: bool
    ) -> Callable[[Deadline], View]:
        def work(deadline: Deadline) -> View:
            server = claim.server or self._mail.discover(claim.address, deadline)
            username = claim.username or server.username_for(claim.address)
            found = _view(claim, None, server, username)
            if not server.may_sign_in and claim.server is None:
                return dataclasses.replace(found, outcome=NOT_VOUCHED)
            if found.named and not is_known:
                # It may be the mailbox of anybody, who would not be told under this address.
                return dataclasses.replace(found, outcome=NOT_NAMED_YET)
            for account in sorted(found.guessable):
                self._throttles.count_credential(account, client_address, now=self._clock.now())
            attempt = Try(
                "", found.guessable, server, username, claim.password, client_address=client_address
            )
            self._mail.check_now(attempt, deadline)
            return dataclasses.replace(found, outcome=ACCEPTED)

        return work


def _verdict(claim: Claim, future: Future[View]) -> Verdict:
    """Wait for one check, which ends at its deadline at the latest."""
    error = future.exception()
    if error is None:
        return Verdict(future.result())
    if isinstance(error, TooManyError):
        return _too_many(claim, error)
    cause = cause_of(error)
    return Verdict(_view(claim, cause.cause, why=cause.why))


def _too_many(claim: Claim, error: TooManyError) -> Verdict:
    return Verdict(_view(claim, TOO_MANY), retry_at=error.retry_at)


def _view(
    claim: Claim,
    outcome: str | None,
    server: MailServer | None = None,
    username: str = "",
    *,
    why: str | None = None,
) -> View:
    """Return the claim as a check, which is what a proof is made of; it has no row."""
    usual = server is not None and server.username_for(claim.address) == username
    return View(
        id="",
        address=claim.address.text,
        step=Step.SIGNING_IN,
        outcome=outcome,
        why=why,
        server=server,
        username=username,
        named=claim.server is not None or not usual,
        used=False,
        began_at=0,
    )
