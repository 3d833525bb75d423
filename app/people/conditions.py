"""What people can be filtered by, and what each filter is in the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, select, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from app.activation.confirmation import overdue
from app.activation.status import is_awaited
from app.models import (
    Activation,
    Device,
    Invitation,
    InvitationState,
    KeyState,
    MailAccount,
    Person,
    PersonTerm,
    ServiceKey,
)
from app.people.paging import Order, Rows

# Behind every beginning, in byte order.
_LAST: Final = "\U0010ffff"
# A public id, or a thumbprint or key id.
ID_LENGTHS: Final = (22, 43)


class PeopleState(StrEnum):
    """What a list of people can be about."""

    ACTIVE = "active"
    WAITING = "waiting"
    INVITED = "invited"
    NO_KEY = "no-key"
    DISABLED = "disabled"
    UNPROVEN = "unproven"
    BOUNCED = "bounced"


NEWEST: Final = Order("newest", Person.created_at, Person.id, Person.id, Person.id)


def _first_address(rows: Rows) -> ColumnElement[bool]:
    return ~exists().where(
        MailAccount.person_id == rows.c.person,
        tuple_(MailAccount.address, MailAccount.id) < tuple_(rows.c.first, rows.c.tie),
    )


BY_ADDRESS: Final = Order(
    "address",
    MailAccount.address,
    MailAccount.id,
    MailAccount.person_id,
    MailAccount.person_id,
    is_descending=False,
    once=_first_address,
)


def holds(state: PeopleState, now: int) -> ColumnElement[bool]:
    """Return the condition on ``Person`` that this is so."""
    match state:
        case PeopleState.ACTIVE:
            return and_(Person.disabled_at.is_(None), _has_key(now))
        case PeopleState.NO_KEY:
            return ~_has_key(now)
        case PeopleState.DISABLED:
            return Person.disabled_at.is_not(None)
    table, which = _ROWS[state]
    return exists().where(table.person_id == Person.id, *which(table, now))


def along(state: PeopleState, now: int) -> Order | None:
    """Return the way through the people of a state that an index knows, if there is one."""
    if state == PeopleState.DISABLED:
        is_disabled = (Person.disabled_at.is_not(None),)
        return replace(NEWEST, name=state, where=is_disabled)
    if state not in _ROWS:
        return None
    table, which = _ROWS[state]

    def newest(rows: Rows) -> ColumnElement[bool]:
        """Of several rows of one person the newest stands for them."""
        other = aliased(table)
        return ~exists().where(
            other.person_id == rows.c.person,
            *which(other, now),
            tuple_(other.created_at, other.id) > tuple_(rows.c.first, rows.c.tie),
        )

    return Order(
        state,
        table.created_at,
        table.id,
        table.person_id,
        table.person_id,
        where=which(table, now),
        once=newest,
    )


def people_in(state: PeopleState, now: int) -> Select[Any] | None:
    """Return the ids of the people of a state, some of them twice, if an index has them."""
    way = along(state, now)
    return None if way is None else select(way.person).where(*way.where)


def with_word(word: str) -> Select[Any]:
    """Return the people one of whose search words begins like this."""
    return select(PersonTerm.person_id).where(*_begins(word))


def has_word(word: str) -> ColumnElement[bool]:
    """Return the same as a condition on ``Person``."""
    return exists().where(PersonTerm.person_id == Person.id, *_begins(word))


def along_word(word: str) -> Order:
    """Return the way through them, in the order of their words."""

    def first_word(rows: Rows) -> ColumnElement[bool]:
        other = PersonTerm.__table__.alias("other")
        return ~exists().where(
            other.c.person_id == rows.c.person, other.c.term >= word, other.c.term < rows.c.first
        )

    return Order(
        "word",
        PersonTerm.term,
        PersonTerm.person_id,
        PersonTerm.person_id,
        PersonTerm.person_id,
        is_descending=False,
        where=_begins(word),
        once=first_word,
    )


def owner_of(session: Session, untrusted_id: str) -> str | None:
    """Return the person whose id it is, or whose device, activation, key, account or session."""
    if len(untrusted_id) not in ID_LENGTHS or not untrusted_id.isascii():
        return None
    if not untrusted_id.isprintable():
        return None
    owners = union_all(
        select(Person.id).where(Person.id == untrusted_id),
        select(Device.person_id).where(Device.id == untrusted_id),
        select(Device.person_id).where(Device.jkt == untrusted_id),
        select(Activation.person_id).where(Activation.id == untrusted_id),
        select(ServiceKey.person_id).where(ServiceKey.id == untrusted_id),
        select(MailAccount.person_id).where(MailAccount.id == untrusted_id),
        select(Invitation.person_id).where(Invitation.id == untrusted_id),
    )
    found: str | None = session.scalar(owners.limit(1))
    return found


def _begins(word: str) -> tuple[ColumnElement[bool], ...]:
    return PersonTerm.term >= word, PersonTerm.term < word + _LAST


def _is_awaited(activation: Any, now: int) -> tuple[ColumnElement[bool], ...]:
    return (is_awaited(activation, now),)


def _has_key(now: int) -> ColumnElement[bool]:
    return exists().where(
        ServiceKey.person_id == Person.id,
        ServiceKey.state == KeyState.ACTIVE,
        Device.id == ServiceKey.device_id,
        ~overdue(now),
    )


def _is_open(invitation: Any, now: int) -> tuple[ColumnElement[bool], ...]:
    return invitation.state == InvitationState.OPEN, invitation.expires_at > now


def _is_unproven(account: Any, _now: int) -> tuple[ColumnElement[bool], ...]:
    return (account.proven_at.is_(None),)


def _has_bounced(account: Any, _now: int) -> tuple[ColumnElement[bool], ...]:
    return (account.bounced_at.is_not(None),)


# The states that a row elsewhere makes; each has an index of just these rows.
_ROWS: Final[Mapping[PeopleState, tuple[Any, Callable[[Any, int], tuple[Any, ...]]]]] = {
    PeopleState.INVITED: (Invitation, _is_open),
    PeopleState.WAITING: (Activation, _is_awaited),
    PeopleState.UNPROVEN: (MailAccount, _is_unproven),
    PeopleState.BOUNCED: (MailAccount, _has_bounced),
}
