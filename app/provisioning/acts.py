"""What every act on somebody's behalf has in common: may they, why, and who is told.

Each act is one transaction of its caller's: the reach is looked at, a conditional update is made,
one entry in the audit says who did it and why, and one mail to the person is queued. That the
actor has the permission is looked at before: by the route, or by the token's scopes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import proof
from app.accounts.posting import tell
from app.activation.ending import By
from app.audit import Act, record
from app.config import Config
from app.models import Person, Staff
from app.outbox.kinds import MailKind
from app.staff.reach import Actor, check

SHORTEST_REASON: Final = 3
LONGEST_REASON: Final = 200
LONGEST_NAME: Final = 100
# What keys keep of why they ended.
BY_STAFF: Final = "by-staff"
_BIDI_CONTROLS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNWRITABLE: Final = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})


class ReasonError(Exception):
    """The reason is too short, too long, or cannot be shown as it is."""


class UnusableError(Exception):
    """One field of an order cannot be used: "address", "name", "services", "groups", "language"."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field: Final = field


class GoneError(Exception):
    """There is no such thing of the person's, or it has ended: somebody else was first."""


class DisabledPersonError(Exception):
    """Nothing can be set up for somebody who is shut out."""


@dataclass(frozen=True)
class Here:
    """What acts need that make new things: the moment, randomness, and the installation's terms."""

    now: int
    entropy: Callable[[int], bytes]
    config: Config

    @property
    def proof(self) -> proof.Here:
        """The same for accounts."""
        return proof.Here(self.now, self.config.shard, self.entropy)


@dataclass(frozen=True)
class Deed:
    """One act under way: who does it to whom, why, and when."""

    session: Session
    actor: Actor
    person_id: str
    reason: str
    now: int
    entropy: Callable[[int], bytes]

    @property
    def by(self) -> By:
        """Who ends keys, devices and activations by it."""
        return By(self.now, self.actor.actor, BY_STAFF, {"reason": self.reason})

    def note(self, act: Act, target: str, **facts: str | int) -> None:
        """Write it down for the person and for staff."""
        record(
            self.session,
            at=self.now,
            actor=self.actor.actor,
            act=act,
            subject=self.person_id,
            target=target,
            detail={"reason": self.reason, **facts},
            entropy=self.entropy,
        )

    def tell(self, kind: MailKind, address: str | None = None, **facts: str | int) -> None:
        """Queue the mail that says so; a person without an address that is theirs gets none."""
        said = {**who(self.session, self.actor), "reason": self.reason, **facts}
        tell(
            self.session,
            self.person_id,
            kind,
            said,
            to=address,
            now=self.now,
            entropy=self.entropy,
        )


def begin(
    session: Session,
    actor: Actor,
    person_id: str,
    *,
    reason: str,
    now: int,
    entropy: Callable[[int], bytes],
) -> Deed:
    """Return the act that may be done now.

    Raises ReasonError, OutOfReachError (as for somebody who is missing) and ColleagueError.
    """
    written = usable_reason(reason)
    check(session, actor, person_id)
    return Deed(session, actor, person_id, written, now, entropy)


def usable_reason(untrusted: str) -> str:
    """Return the reason without blanks around it, or raise ReasonError."""
    text = untrusted.strip()
    if not SHORTEST_REASON <= len(text) <= LONGEST_REASON or not is_plain(text):
        raise ReasonError
    return text


def usable_name(untrusted: str) -> str:
    """Return a person's name without blanks around it, or raise UnusableError."""
    text = untrusted.strip()
    if len(text) > LONGEST_NAME or not is_plain(text):
        raise UnusableError("name")
    return text


def is_plain(text: str) -> bool:
    """Tell whether the text stays on one line and in its own direction."""
    return _BIDI_CONTROLS.search(text) is None and not any(
        unicodedata.category(each) in _UNWRITABLE for each in text
    )


def staff_name(session: Session, actor: Actor) -> str:
    """Return what a person may call the one who did it."""
    staff = None if actor.staff_id is None else session.get(Staff, actor.staff_id)
    return "" if staff is None else staff.name


def who(session: Session, actor: Actor) -> dict[str, str | int]:
    """Return what a mail says of the one who did it."""
    return {"by": staff_name(session, actor), "by_role": actor.role}


def refuse_disabled(session: Session, person_id: str) -> None:
    """Raise DisabledPersonError for somebody who is shut out; nobody shuts them out in between.

    A sign-in takes the person's row first, too, so that neither waits for the other for ever.
    """
    disabled = session.scalar(
        select(Person.disabled_at).where(Person.id == person_id).with_for_update()
    )
    if disabled is not None:
        raise DisabledPersonError
