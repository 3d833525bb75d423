"""People as CSV: one line each, in the columns that an import reads, and a few more.

A list that was exported can be taken elsewhere: cells come back as they were. Here it is refused,
since everybody on it is set up already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.bulk.fields import BETWEEN_GROUPS
from app.bulk.reading import COLUMNS, FURTHER
from app.bulk.spreadsheets import write_row
from app.clock import as_datetime
from app.database import Database
from app.models import (
    AccountService,
    GroupMember,
    MailAccount,
    Person,
    PersonGroup,
    in_order,
)
from app.people.listing import PersonLine, Wanted, describe, page_of_people
from app.provisioning.acts import usable_reason
from app.staff.reach import Actor, groups_within

_LOOK: Final = 5_000
_PORTION: Final = 500
# Spreadsheets take a file without it for one in an old encoding.
_BOM: Final = "\ufeff"


def begin_export(
    session: Session, actor: Actor, wanted: Wanted, *, reason: str, now: int
) -> list[str]:
    """Return the ids of the people who are exported, audited with how many; raise ReasonError."""
    written = usable_reason(reason)
    ids: list[str] = []
    page = page_of_people(session, actor, wanted, now=now, limit=_LOOK)
    while True:
        ids += page.ids
        if page.older is None:
            break
        page = page_of_people(session, actor, wanted, now=now, limit=_LOOK, after=page.older)
    detail: dict[str, str | int] = {"people": len(ids), "reason": written}
    if wanted.state is not None:
        detail["state"] = wanted.state
    if wanted.group_id:
        detail["group"] = wanted.group_id
    if wanted.text:
        # Not what was typed, which would stay when the people whom it names are gone.
        detail["searched"] = "yes"
    record(session, at=now, actor=actor.actor, act=Act.PEOPLE_EXPORTED, detail=detail)
    return ids


def export_lines(
    database: Database, actor: Actor, ids: Sequence[str], *, now: int
) -> Iterator[str]:
    """Yield the CSV some lines at a time; whoever was deleted meanwhile is not in it."""
    yield _BOM + write_row((*COLUMNS, *FURTHER))
    for begin in range(0, len(ids), _PORTION):
        with database.read() as session:
            yield _lines(session, actor, ids[begin : begin + _PORTION], now)


def _lines(session: Session, actor: Actor, ids: Sequence[str], now: int) -> str:
    people = describe(session, ids, now=now)
    languages = {
        row.id: row.language
        for row in session.execute(select(Person.id, Person.language).where(Person.id.in_(ids)))
    }
    services, groups = _services(session, ids), _groups(session, actor, ids)
    return "".join(
        write_row(
            (
                person.address,
                person.name,
                " ".join(services[person.id, person.address]),
                BETWEEN_GROUPS.join(groups[person.id]),
                languages.get(person.id) or "",
                *_further(person),
            )
        )
        for person in people
    )


def _further(person: PersonLine) -> tuple[str, str, str]:
    added = as_datetime(person.created_at).strftime("%Y-%m-%dT%H:%M:%SZ")
    return person.id, " ".join(person.states), added


def _services(session: Session, ids: Sequence[str]) -> dict[tuple[str, str], list[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    rows = session.execute(
        select(MailAccount.person_id, MailAccount.address, AccountService.service)
        .join(AccountService, AccountService.account_id == MailAccount.id)
        .where(MailAccount.person_id.in_(ids))
        .order_by(in_order(AccountService.service))
    )
    for person_id, address, service in rows:
        found[person_id, address].append(service)
    return found


def _groups(session: Session, actor: Actor, ids: Sequence[str]) -> dict[str, list[str]]:
    """Return the names of each one's groups, without those beyond the actor's reach."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        select(GroupMember.person_id, PersonGroup.name)
        .join(PersonGroup, PersonGroup.id == GroupMember.group_id)
        .where(GroupMember.person_id.in_(ids), groups_within(actor))
        .order_by(PersonGroup.name)
    )
    for person_id, name in rows:
        found[person_id].append(name)
    return found
