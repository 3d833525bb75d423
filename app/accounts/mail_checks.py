"""The rows of sign-ins under way: stage and outcome, never a credential.

A check goes FINDING → CREDENTIAL → CHECKING stages → an outcome; after a failure it can be tried
again until it expires. Each step is a conditional update, so two answers never cross.
"""

from __future__ import annotations

import dataclasses
import json
import unicodedata
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from app.clock import MINUTE
from app.mailservers.causes import Cause
from app.mailservers.provider import Credential
from app.mailservers.provider_table import PROVIDERS
from app.mailservers.server import FoundBy, MailServer, SmtpServer, VouchedBy
from app.models import MailCheck, new_id

LIFETIME: Final = 10 * MINUTE


class Step(StrEnum):
    """Where a check stands, as the person sees it."""

    FINDING = "finding"
    CREDENTIAL = "credential"
    CONNECTING = "connecting"
    SIGNING_IN = "signing-in"


ACCEPTED: Final = "accepted"


@dataclasses.dataclass(frozen=True)
class View:
    """One check as the views need it."""

    id: str
    address: str
    step: Step
    outcome: str | None
    why: str | None
    server: MailServer | None
    username: str
    # The person named the server, or confirmed the guess.
    named: bool
    used: bool
    # When the step under way was begun, in microseconds.
    began_at: int

    @property
    def is_working(self) -> bool:
        """Tell whether something is being done about it now."""
        return self.outcome is None and self.step is not Step.CREDENTIAL

    @property
    def wants_app_password(self) -> bool:
        """Tell whether the usual password would not do, as the provider or the server says."""
        return self.outcome == Cause.NEEDS_APP_PASSWORD or self._takes(Credential.APP_PASSWORD)

    @property
    def wants_provider_sign_in(self) -> bool:
        """Tell whether no password would do."""
        return self.outcome == Cause.NEEDS_PROVIDER_SIGN_IN or self._takes(Credential.OAUTH_ONLY)

    @property
    def is_about_credential(self) -> bool:
        """Tell whether another credential may help: then the failure belongs to that field."""
        return self.outcome in {Cause.WRONG_CREDENTIAL, Cause.NEEDS_APP_PASSWORD}

    @property
    def guessable(self) -> frozenset[str]:
        """Return what a credential counts for as a guess: the address, and a mailbox named to us.

        Or else many made-up addresses would be as many tries at one mailbox.
        """
        if self.server is None or not self.named:
            return frozenset({self.address})
        mailbox = unicodedata.normalize("NFKC", self.username.strip().lower())
        if "@" in mailbox:
            return frozenset({self.address, mailbox})
        # Domains are easily made up for a server that somebody names, so its host counts too.
        domains = (self.server.domain, self.server.host)
        return frozenset({self.address, *(f"{mailbox}@{domain}" for domain in domains)})

    def _takes(self, credential: Credential) -> bool:
        return self.server is not None and self.server.credential is credential


def begin(
    database: Session, session_id: str, address: str, *, now: int, entropy: Callable[[int], bytes]
) -> str:
    """Add a check for an address and return its id."""
    check_id = new_id(entropy)
    database.add(
        MailCheck(
            id=check_id,
            session_id=session_id,
            address=address,
            server="",
            stage=Step.FINDING,
            outcome=None,
            detail=None,
            used_at=None,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return check_id


def find(database: Session, check_id: str, session_id: str | None, *, now: int) -> View | None:
    """Return this session's check; another session's is as good as missing."""
    row = database.scalar(
        select(MailCheck).where(
            MailCheck.id == check_id,
            MailCheck.session_id == session_id,
            MailCheck.expires_at > now,
        )
    )
    return None if row is None else _view(row)


def found(database: Session, check_id: str, server: MailServer, username: str) -> None:
    """Note the mail server that was found."""
    _update(
        database,
        check_id,
        MailCheck.stage == Step.FINDING,
        stage=Step.CREDENTIAL,
        server=_server_text(server, username, named=False),
    )


def choose(database: Session, check_id: str, server: MailServer, username: str) -> bool:
    """Use another server than the found one, before a credential is asked for."""
    return _update(
        database,
        check_id,
        MailCheck.used_at.is_(None) & _resting(),
        stage=Step.CREDENTIAL,
        outcome=None,
        detail=None,
        server=_server_text(server, username, named=True),
    )


def start(database: Session, check_id: str, *, now: int) -> bool:
    """Begin to try a credential; False when one is being tried, or was accepted, already."""
    return _update(
        database,
        check_id,
        MailCheck.used_at.is_(None) & _resting(),
        stage=Step.CONNECTING,
        outcome=None,
        detail=None,
        expires_at=now + LIFETIME,
    )


def reach(database: Session, check_id: str, step: Step) -> None:
    """Note the stage that the work has reached."""
    _update(database, check_id, MailCheck.outcome.is_(None), stage=step)


def end(database: Session, check_id: str, outcome: str, why: str | None = None) -> bool:
    """Note how it ended; False when it had ended already."""
    return _update(database, check_id, MailCheck.outcome.is_(None), outcome=outcome, detail=why)


def use(database: Session, check_id: str, session_id: str, *, now: int) -> View | None:
    """Take an accepted check, once; None when there is none to take."""
    mine = (
        (MailCheck.session_id == session_id)
        & (MailCheck.outcome == ACCEPTED)
        & MailCheck.used_at.is_(None)
        & (MailCheck.expires_at > now)
    )
    if not _update(database, check_id, mine, used_at=now):
        return None
    row = database.get(MailCheck, check_id)
    return None if row is None else _view(row)


def _resting() -> Any:
    """A credential is wanted, or the last one was tried and not accepted."""
    waiting = (MailCheck.stage == Step.CREDENTIAL) & MailCheck.outcome.is_(None)
    return waiting | (MailCheck.outcome.is_not(None) & (MailCheck.outcome != ACCEPTED))


def _update(database: Session, check_id: str, condition: Any, **values: Any) -> bool:
    result = database.execute(
        update(MailCheck)
        .where(MailCheck.id == check_id, condition)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", result).rowcount == 1


def _view(row: MailCheck) -> View:
    server, username, named = _read_server(row.server) if row.server else (None, "", False)
    return View(
        id=row.id,
        address=row.address,
        step=Step(row.stage),
        outcome=row.outcome,
        why=row.detail,
        server=server,
        username=username,
        named=named,
        used=row.used_at is not None,
        began_at=row.expires_at - LIFETIME,
    )


def _server_text(server: MailServer, username: str, *, named: bool) -> str:
    facts = {
        field.name: getattr(server, field.name)
        for field in dataclasses.fields(server)
        if field.name != "provider"
    }
    facts["provider"] = server.provider.key if server.provider else None
    facts["smtp"] = dataclasses.asdict(server.smtp) if server.smtp else None
    facts |= {"username": username, "named": named}
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def _read_server(text: str) -> tuple[MailServer, str, bool]:
    facts = json.loads(text)
    username, named, key = (facts.pop(name) for name in ("username", "named", "provider"))
    facts["credential"] = Credential(facts["credential"])
    facts["found_by"] = FoundBy(facts["found_by"])
    facts["vouched_by"] = VouchedBy(facts["vouched_by"])
    # A check that was begun before an upgrade has no such fact.
    smtp = facts.pop("smtp", None)
    server = MailServer(
        **facts,
        provider=next((each for each in PROVIDERS if each.key == key), None),
        smtp=SmtpServer(**smtp) if smtp else None,
    )
    return server, str(username), bool(named)
