"""People as CSV: safe for spreadsheets, within reach, audited, and good to be taken elsewhere."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import delete, select, update

from app.bulk.exporting import begin_export, export_lines
from app.models import (
    AuditEntry,
    GroupMember,
    ImportState,
    Invitation,
    MailAccount,
    Person,
    StaffRole,
)
from app.people.listing import Wanted
from app.staff.reach import Actor
from tests.app.bulk.lists import REASON, Office

# As they can be: an address may begin like a formula.
LIST = (
    "address,name,services,groups,language\n"
    "=cmd@example.org,'=HYPERLINK(1),mail,choir,es\n"
    "+1@example.org,Carla; =1,contacts calendar,board|choir,\n"
    '-x@example.org,"O\'Hara, ""Jo""",,,pt-BR\n'
    "'y@example.org,''Ndrina,mail,,\n"
)


def export(office: Office, actor: Actor, wanted: Wanted | None = None) -> str:
    service = office.service
    now = service.clock.now()
    with service.database.write() as session:
        ids = begin_export(session, actor, wanted or Wanted(), reason=REASON, now=now)
    return "".join(export_lines(service.database, actor, ids, now=now))


def cells(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def filled(office: Office) -> Actor:
    ada = office.hire()
    office.group("choir")
    office.group("board")
    job = office.check(ada, LIST)
    assert office.wrong(job.id) == []
    assert office.take(ada, job.id).state == ImportState.DONE
    return ada


def test_no_cell_begins_like_a_formula(office: Office) -> None:
    text = export(office, filled(office))
    for row in cells(text):
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert '"\'=cmd@example.org"' in text
    assert "=1" not in text.replace("'=1", "")


def test_what_was_exported_can_be_taken_elsewhere(office: Office) -> None:
    ada = filled(office)
    text = export(office, ada)
    here = office.check(ada, text)
    assert (here.state, here.problems) == (ImportState.REFUSED, 6)
    before = sorted(
        (row["address"], row["name"], row["services"], row["groups"], row["language"])
        for row in cells(text)
    )
    with office.service.database.write() as session:
        # Elsewhere nobody is there yet.
        session.execute(update(MailAccount).values(vouched_by="manual", proven_at=None))
        session.execute(update(Invitation).values(state="withdrawn"))
        session.execute(delete(GroupMember))
        old = set(session.scalars(select(Person.id)))
    job = office.check(ada, text)
    assert office.wrong(job.id) == []
    office.take(ada, job.id)
    after = sorted(
        (row["address"], row["name"], row["services"], row["groups"], row["language"])
        for row in cells(export(office, ada))
        if row["id"] not in old
    )
    assert after == before


def test_it_is_audited_with_how_many(office: Office) -> None:
    ada = filled(office)
    export(office, ada, Wanted(text="carla"))
    with office.service.database.read() as session:
        row = session.scalars(select(AuditEntry).where(AuditEntry.act == "people-exported")).one()
    assert row.actor == ada.actor
    detail = json.loads(row.detail or "")
    assert detail == {"people": 1, "reason": REASON, "searched": "yes"}


def test_only_whom_one_looks_after_and_only_ones_groups(office: Office) -> None:
    filled(office)
    olu = office.hire(StaffRole.CUSTOMER_CARE, groups=["g-choir"])
    found = cells(export(office, olu))
    assert {row["address"] for row in found} == {"'=cmd@example.org", "'+1@example.org"}
    assert {row["groups"] for row in found} == {"choir"}


@pytest.mark.parametrize("count", [0, 499, 501])
def test_every_page_of_the_list_is_in_it(sqlite_office: Office, count: int) -> None:
    ada = sqlite_office.hire()
    if count:
        people = "".join(f"p{number}@example.com\n" for number in range(count))
        sqlite_office.take(ada, sqlite_office.check(ada, "address\n" + people).id)
    found = cells(export(sqlite_office, ada))
    assert len({row["id"] for row in found}) == len(found) == count + 2
