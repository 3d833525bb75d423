"""The list of people: search, filters, and what a line says. No framework here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from app.models import Device, DeviceState, GroupMember, MailAccount, Person, PersonGroup, Reach
from app.people import conditions, terms
from app.people.conditions import PeopleState
from app.people.paging import PER_PAGE, Listing, Order, Page, Place, read_page
from app.staff.reach import Actor, groups_within, people_within, within_each

# More words than this say nothing more.
MOST_WORDS: Final = 6
BY_ADDRESS: Final = "address"
_WITHOUT_KEY: Final = {PeopleState.WAITING, PeopleState.INVITED, PeopleState.DISABLED}


@dataclass(frozen=True)
class Wanted:
    """What staff ask a list for."""

    text: str = ""
    state: PeopleState | None = None
    group_id: str = ""
    sort: str = ""
    after: Place | None = None
    before: Place | None = None


@dataclass(frozen=True)
class PersonLine:
    """One person as the list shows them."""

    id: str
    name: str
    address: str
    accounts: int
    states: tuple[PeopleState, ...]
    devices: int
    created_at: int


def list_people(
    session: Session, actor: Actor, wanted: Wanted, *, now: int, limit: int = PER_PAGE
) -> tuple[Page, list[PersonLine]]:
    """Return a page of the people whom an actor may see, as they asked for it."""
    page = page_of_people(
        session,
        actor,
        wanted,
        now=now,
        limit=limit,
        after=wanted.after,
        before=wanted.before,
    )
    return page, describe(session, page.ids, now=now)


def page_of_people(
    session: Session,
    actor: Actor,
    wanted: Wanted,
    *,
    now: int,
    limit: int = PER_PAGE,
    after: Place | None = None,
    before: Place | None = None,
) -> Page:
    """Return their ids alone, from one place in the list on."""
    listing = _listing(session, actor, wanted, now)
    return read_page(session, listing, after=after, before=before, limit=limit)


def list_groups(session: Session, actor: Actor) -> list[tuple[str, str]]:
    """Return id and name of the groups that an actor may choose from."""
    rows = session.execute(
        select(PersonGroup.id, PersonGroup.name)
        .where(groups_within(actor))
        .order_by(PersonGroup.name)
    )
    return [(row.id, row.name) for row in rows]


def narrowed(session: Session, actor: Actor, text: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Return what a search and the actor's reach leave over: conditions, and sets of people."""
    tests: list[Any] = []
    people: list[Select[Any]] = []
    if actor.reach != Reach.EVERYONE:
        tests.append(within_each(actor))
        people.append(people_within(actor))
    owner = conditions.owner_of(session, text.strip())
    if owner is not None:
        own = Person.id == owner
        return (*tests, own), (*people, select(Person.id).where(own))
    for word in words_of(text):
        tests.append(conditions.has_word(word))
        people.append(conditions.with_word(word))
    return tuple(tests), tuple(people)


def words_of(text: str) -> list[str]:
    """Return the words that somebody looks for."""
    return terms.split(text)[:MOST_WORDS]


def describe(session: Session, ids: Sequence[str], *, now: int) -> list[PersonLine]:
    """Return the lines of some people, in the order of their ids."""
    people = {row.id: row for row in session.scalars(select(Person).where(Person.id.in_(ids)))}
    accounts: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        select(MailAccount.person_id, MailAccount.address)
        .where(MailAccount.person_id.in_(ids))
        .order_by(MailAccount.proven_at.is_(None), MailAccount.created_at, MailAccount.id)
    )
    for person_id, address in rows:
        accounts[person_id].append(address)
    states, devices = states_of(session, ids, now=now), _devices(session, ids)
    return [
        PersonLine(
            id=row.id,
            name=row.name,
            address=next(iter(accounts[row.id]), ""),
            accounts=len(accounts[row.id]),
            states=states[row.id],
            devices=devices.get(row.id, 0),
            created_at=row.created_at,
        )
        for row in (people[each] for each in ids if each in people)
    ]


def states_of(
    session: Session, ids: Sequence[str], *, now: int
) -> dict[str, tuple[PeopleState, ...]]:
    """Return what can be said of each of some people, the most telling first."""
    asked = list(PeopleState)
    rows = session.execute(
        select(Person.id, *(conditions.holds(state, now).label(state) for state in asked)).where(
            Person.id.in_(ids)
        )
    ).mappings()
    return {row["id"]: _telling([state for state in asked if row[state]]) for row in rows}


def _telling(states: list[PeopleState]) -> tuple[PeopleState, ...]:
    """Leave out that there is no key where that follows from the rest."""
    if any(state in _WITHOUT_KEY for state in states):
        return tuple(state for state in states if state != PeopleState.NO_KEY)
    return tuple(states)


def _listing(session: Session, actor: Actor, wanted: Wanted, now: int) -> Listing:
    tests, people = narrowed(session, actor, wanted.text)
    if wanted.group_id:
        # Also a group beyond the reach is one that nobody is in.
        here = select(PersonGroup.id).where(PersonGroup.id == wanted.group_id)
        here = here.where(groups_within(actor))
        members = select(GroupMember.person_id).where(GroupMember.group_id.in_(here))
        is_member = exists().where(
            GroupMember.person_id == Person.id, GroupMember.group_id.in_(here)
        )
        tests, people = (*tests, is_member), (*people, members)
    if wanted.state is not None:
        tests = (*tests, conditions.holds(wanted.state, now))
        those = conditions.people_in(wanted.state, now)
        people = people if those is None else (*people, those)
    return Listing(tuple(_orders(wanted, now)), Person, tests, people)


def _orders(wanted: Wanted, now: int) -> list[Order]:
    """Return the ways through the list, the best one first."""
    if wanted.sort == BY_ADDRESS:
        return [conditions.BY_ADDRESS]
    ways = [] if wanted.state is None else [conditions.along(wanted.state, now)]
    words = words_of(wanted.text)
    if words:
        # The longest word says the most.
        ways.append(conditions.along_word(max(words, key=len)))
    return [*(way for way in ways if way is not None), conditions.NEWEST]


def _devices(session: Session, ids: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(Device.person_id, func.count().label("devices"))
        .where(Device.person_id.in_(ids), Device.state == DeviceState.ACTIVE)
        .group_by(Device.person_id)
    )
    return {row.person_id: row.devices for row in rows}
