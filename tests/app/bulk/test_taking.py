"""A list is taken whole or not at all, and makes what an invitation makes."""

from __future__ import annotations

import io
import json
from collections import Counter

import pytest
from sqlalchemy import select

from app.bulk import services as bulk
from app.bulk.checking import check_some
from app.bulk.reading import read_list
from app.bulk.services import WrongStateError
from app.models import (
    AuditEntry,
    Base,
    GrantState,
    ImportState,
    Invitation,
    MailAccount,
    PersonTerm,
    ServiceGrant,
    Staff,
    StaffRole,
    StaffState,
)
from app.provisioning.acts import Here
from app.provisioning.inviting import Invite, invite
from tests.app.bulk.lists import REASON, Office

LIST = (
    "address,name,services,groups,language\ncarla@example.org,Carla Ríos,mail calendar,choir,es\n"
)
# What is random, and what says that it was an import.
RANDOM = {"id", "ticket", "service_uid", "salt", "record", "import_id", "target", "audit_id"}


def everything(office: Office) -> Counter[str]:
    """Return the rows of every table but for the lists themselves, without random ids."""
    found: Counter[str] = Counter()
    with office.service.database.read_connection() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                plain = {name: value for name, value in row.items() if not is_random(name)}
                if not table.name.startswith("import_") and "list-" not in plain.get("act", ""):
                    found[f"{table.name} {plain}"] += 1
    return found


def is_random(column: str) -> bool:
    return column in RANDOM or (column.endswith("_id") and column != "group_id")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (
            "Carla@Example.org,Carla Ríos,mail calendar,choir,es",
            Invite("carlo@example.org", "Carlo Ríos", ("mail", "calendar"), ("g-choir",), "es"),
        ),
        ("carla@example.org,,,,", Invite("carlo@example.org")),
    ],
)
def test_a_line_makes_what_an_invitation_makes(office: Office, line: str, wanted: Invite) -> None:
    ada = office.hire()
    office.group("choir")
    before = everything(office)
    job = office.check(ada, f"address,name,services,groups,language\n{line}\n")
    assert office.take(ada, job.id).state == ImportState.DONE
    between = everything(office)
    service = office.service
    with service.database.write() as session:
        here = Here(service.clock.now(), service.entropy, service.config)
        invite(session, ada, wanted, reason=REASON, here=here)
    invited = everything(office) - between
    assert len(invited) > 15
    assert Counter(invited.elements()) == Counter(
        each.replace("carla", "carlo").replace("Carla", "Carlo")
        for each in (between - before).elements()
    )


def test_every_line_has_its_audit_row_with_actor_and_reason(office: Office) -> None:
    ada = office.hire()
    job = office.check(ada, "address\n" + "".join(f"p{n}@example.com\n" for n in range(25)))
    office.take(ada, job.id)
    with office.service.database.read() as session:
        rows = session.scalars(select(AuditEntry).where(AuditEntry.act == "person-invited")).all()
        people = set(session.scalars(select(Invitation.person_id)))
    assert {row.subject_id for row in rows} == people
    assert len(people) == 25
    for row in rows:
        assert row.actor == ada.actor
        assert json.loads(row.detail or "")["reason"] == REASON


def test_who_was_invited_meanwhile_stops_the_whole_list(office: Office) -> None:
    ada = office.hire()
    job = office.check(ada, "address\ncarla@example.org\ndora@example.org\nemil@example.org\n")
    assert job.state == ImportState.CHECKED
    service = office.service
    with service.database.write() as session:
        here = Here(service.clock.now(), service.entropy, service.config)
        invite(session, ada, Invite("dora@example.org"), reason=REASON, here=here)
    taken = office.take(ada, job.id)
    assert (taken.state, taken.problems) == (ImportState.REFUSED, 1)
    assert [(one.line, one.problems[0].problem) for one in office.wrong(job.id)] == [(3, "invited")]
    with service.database.read() as session:
        addresses = set(session.scalars(select(MailAccount.address)))
    assert addresses == {"ann@example.org", "bob@example.org", "dora@example.org"}


def test_a_list_with_a_problem_cannot_be_taken(office: Office) -> None:
    ada = office.hire()
    job = office.check(ada, "address\ncarla@example.org\nann@example.org\n")
    assert job.state == ImportState.REFUSED
    with pytest.raises(WrongStateError), office.service.database.write() as session:
        bulk.take(session, ada, job.id, now=office.service.clock.now())


def test_a_list_is_taken_once(office: Office) -> None:
    ada = office.hire()
    job = office.check(ada, "address\ncarla@example.org\n")
    office.take(ada, job.id)
    with pytest.raises(WrongStateError), office.service.database.write() as session:
        bulk.take(session, ada, job.id, now=office.service.clock.now())
    office.work()
    with office.service.database.read() as session:
        assert len(session.scalars(select(Invitation)).all()) == 1


def test_whose_maker_was_disabled_ends(office: Office) -> None:
    ada = office.hire()
    job = office.check(ada, "address\ncarla@example.org\n")
    with office.service.database.write() as session:
        bulk.take(session, ada, job.id, now=office.service.clock.now())
        session.get_one(Staff, ada.staff_id).state = StaffState.DISABLED
    office.work()
    assert office.job(ada, job.id).state == ImportState.FAILED
    with office.service.database.read() as session:
        assert session.scalars(select(Invitation)).all() == []


def test_a_removed_group_stops_the_whole_list(office: Office) -> None:
    ada = office.hire()
    choir = office.group("choir")
    job = office.check(ada, LIST)
    with office.service.database.write_connection() as connection:
        table = Base.metadata.tables["person_group"]
        connection.execute(table.delete().where(table.c.id == choir))
    taken = office.take(ada, job.id)
    assert taken.state == ImportState.REFUSED
    assert [one.problems[0].problem for one in office.wrong(job.id)] == ["group-unknown"]


def test_stock_is_made_for_everybody_on_the_list(office: Office) -> None:
    ada = office.hire()
    people = "".join(f"p{n}@example.com,mail contacts\n" for n in range(450))
    job = office.check(ada, "address,services\n" + people, stock=2)
    assert office.take(ada, job.id).state == ImportState.DONE
    with office.service.database.read() as session:
        stocked = session.scalars(
            select(ServiceGrant.account_service_id).where(ServiceGrant.state == GrantState.STOCKED)
        ).all()
    assert len(stocked) == 450 * 2 * 2
    assert len(set(stocked)) == 450 * 2


def test_the_people_of_a_list_are_found_by_name(office: Office) -> None:
    ada = office.hire()
    office.group("choir")
    job = office.check(ada, LIST)
    office.take(ada, job.id)
    with office.service.database.read() as session:
        terms = set(session.scalars(select(PersonTerm.term)))
    assert {"carla", "ríos", "carla@example.org", "example.org"} <= terms


def who_did(office: Office, job_id: str) -> list[tuple[str, str]]:
    """Return what the audit has about a list: acts and whose they were."""
    with office.service.database.read() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.target == job_id).order_by(AuditEntry.id)
        ).all()
    return [(row.act, row.actor) for row in rows]


def test_who_takes_the_list_of_another_is_audited(office: Office) -> None:
    sam, ada = office.hire(StaffRole.OWNER), office.hire()
    job = office.check(sam, "address\ncarla@example.org\n")
    office.take(ada, job.id)
    assert who_did(office, job.id) == [
        ("list-uploaded", sam.actor),
        ("list-ordered", ada.actor),
        ("list-taken", "system"),
    ]


def test_who_cancels_the_list_of_another_is_audited(office: Office) -> None:
    sam, ada = office.hire(StaffRole.OWNER), office.hire()
    job = office.check(sam, "address\ncarla@example.org\n")
    with office.service.database.write() as session:
        bulk.cancel(session, ada, job.id, now=office.service.clock.now())
    assert who_did(office, job.id)[1:] == [("list-ended", ada.actor)]


def test_a_list_that_nobody_takes_is_ended_by_the_service(office: Office) -> None:
    sam, service = office.hire(StaffRole.OWNER), office.service
    job = office.check(sam, "address\ncarla@example.org\n")
    service.clock.advance(bulk.KEPT)
    bulk.forget_lines(service.database, service.clock)
    assert who_did(office, job.id)[1:] == [("list-ended", "system")]


def test_a_list_that_is_taken_at_once_was_ordered_by_its_maker(office: Office) -> None:
    ada, service = office.hire(), office.service
    with service.database.write() as session:
        job_id = bulk.make(
            session,
            ada,
            read_list(io.BytesIO(b"address\nann@example.org\n")),
            reason=REASON,
            is_taken_at_once=True,
            now=service.clock.now(),
            entropy=service.entropy,
        )
    check_some(service.database, service.clock)
    assert who_did(office, job_id)[1:] == [("list-ordered", ada.actor), ("list-ended", "system")]
