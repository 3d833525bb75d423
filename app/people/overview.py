"""Everything about one person on one page, as staff see it. No framework here.

Long lists are cut: the page links to the list that has them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.passing_on import QUIET
from app.activation.overview import ActivationView, list_activations
from app.devices.services import KeyView, list_keys
from app.home.services import AccountView, list_accounts
from app.models import (
    Device,
    GroupMember,
    Invitation,
    InvitationState,
    MailAccount,
    OutgoingMail,
    PersonGroup,
)
from app.people.conditions import PeopleState
from app.people.listing import PersonLine, describe
from app.people.things import DeviceLine, device_line
from app.provisioning.addresses import Conflict, conflicts
from app.signed_in.services import SessionView, list_sessions
from app.staff.reach import Actor, find, groups_within, may_act_on, roles_of

# So many of each are shown; one more tells that there are more.
SHOWN: Final = 8
SHOWN_MAILS: Final = 6


@dataclass(frozen=True)
class InvitationView:
    """One invitation and how it stands."""

    id: str
    address: str
    services: tuple[str, ...]
    state: str
    reason: str
    invited_by: str
    created_at: int
    expires_at: int
    ended_at: int | None

    @property
    def is_open(self) -> bool:
        """Whether its address may still come and sign in."""
        return self.state == InvitationState.OPEN


@dataclass(frozen=True)
class MailView:
    """One mail to the person, and whether it arrived as far as anybody knows."""

    id: str
    kind: str
    address: str
    state: str
    created_at: int
    failure: str | None


@dataclass(frozen=True)
class PersonView:
    """A person as staff see them."""

    line: PersonLine
    disabled_at: int | None
    language: str | None
    is_colleague: bool
    # Whether the one who looks may act on them, as far as that is a question of who works here.
    may_be_acted_on: bool
    groups: tuple[tuple[str, str], ...]
    accounts: tuple[AccountView, ...]
    # When a mail to an account came back, by its id.
    bounced: dict[str, int]
    # What is doubtful about the addresses.
    conflicts: tuple[Conflict, ...]
    invitations: tuple[InvitationView, ...]
    mails: tuple[MailView, ...]
    devices: tuple[DeviceLine, ...]
    keys: tuple[KeyView, ...]
    activations: tuple[ActivationView, ...]
    sessions: tuple[SessionView, ...]

    @property
    def id(self) -> str:
        """Return the person's id."""
        return self.line.id

    @property
    def title(self) -> str:
        """Return what pages call the person: the name, else the address, else the id."""
        return self.line.name or self.line.address or self.line.id

    @property
    def states(self) -> tuple[PeopleState, ...]:
        """Return everything that can be said of them."""
        return self.line.states


def find_person(
    session: Session, actor: Actor, person_id: str, *, now: int, quiet: int = QUIET
) -> PersonView:
    """Return a person whom the actor may see, or raise OutOfReachError.

    ``quiet`` is after how many microseconds without a sign-in an address may be another's.
    """
    person = find(session, actor, person_id)
    (line,) = describe(session, [person_id], now=now)
    roles = roles_of(session, person_id)
    return PersonView(
        line=line,
        disabled_at=person.disabled_at,
        language=person.language,
        is_colleague=bool(roles),
        may_be_acted_on=may_act_on(actor, roles),
        groups=_groups(session, actor, person_id),
        accounts=tuple(list_accounts(session, person_id, now=now)),
        bounced=_bounced(session, person_id),
        conflicts=tuple(conflicts(session, person_id, now=now, quiet=quiet)),
        invitations=_invitations(session, person_id),
        mails=_mails(session, person_id),
        devices=_devices(session, person_id, now),
        keys=tuple(list_keys(session, person_id, now=now)),
        activations=tuple(list_activations(session, person_id, now=now)),
        sessions=tuple(list_sessions(session, person_id, "", now=now)),
    )


def _groups(session: Session, actor: Actor, person_id: str) -> tuple[tuple[str, str], ...]:
    rows = session.execute(
        select(PersonGroup.id, PersonGroup.name)
        .join(GroupMember, GroupMember.group_id == PersonGroup.id)
        # A group beyond the reach is as good as not there.
        .where(GroupMember.person_id == person_id, groups_within(actor))
        .order_by(PersonGroup.name)
    )
    return tuple((row.id, row.name) for row in rows)


def _bounced(session: Session, person_id: str) -> dict[str, int]:
    rows = session.execute(
        select(MailAccount.id, MailAccount.bounced_at).where(
            MailAccount.person_id == person_id, MailAccount.bounced_at.is_not(None)
        )
    )
    return {row.id: row.bounced_at for row in rows}


def _invitations(session: Session, person_id: str) -> tuple[InvitationView, ...]:
    rows = session.scalars(
        select(Invitation)
        .where(Invitation.person_id == person_id)
        .order_by(Invitation.created_at.desc(), Invitation.id)
        .limit(SHOWN)
    )
    return tuple(
        InvitationView(
            id=row.id,
            address=row.address,
            services=tuple(row.services.split()),
            state=row.state,
            reason=row.reason,
            invited_by=row.invited_by,
            created_at=row.created_at,
            expires_at=row.expires_at,
            ended_at=row.ended_at,
        )
        for row in rows
    )


def _mails(session: Session, person_id: str) -> tuple[MailView, ...]:
    rows = session.scalars(
        select(OutgoingMail)
        .where(OutgoingMail.person_id == person_id)
        .order_by(OutgoingMail.created_at.desc(), OutgoingMail.id)
        .limit(SHOWN_MAILS)
    )
    return tuple(
        MailView(row.id, row.kind, row.address, row.state, row.created_at, row.failure)
        for row in rows
    )


def _devices(session: Session, person_id: str, now: int) -> tuple[DeviceLine, ...]:
    rows = session.scalars(
        select(Device)
        .where(Device.person_id == person_id)
        .order_by(Device.state, Device.seen_at.desc(), Device.id)
        .limit(SHOWN + 1)
    )
    return tuple(device_line(row, now=now) for row in rows)
