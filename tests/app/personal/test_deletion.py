"""The end of a person: nothing of them is left, and what happened still holds together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.accounts.sessions import Client, start
from app.audit import Act
from app.auditing.sealing import seal
from app.auditing.verifying import verify
from app.clock import HOUR, MINUTE
from app.database import Database
from app.keystore.provider import KeyKind
from app.keystore.rings import KeyRing, SigningKeys
from app.models import (
    AuditEntry,
    Base,
    GroupMember,
    ImportJob,
    ImportLine,
    ImportState,
    Invitation,
    InvitationState,
    MailAccount,
    MailCheck,
    OutgoingMail,
    Person,
    PersonGroup,
    Reach,
    Staff,
    StaffRole,
    StaffState,
    WebSession,
)
from app.outbox.kinds import MailKind
from app.outbox.services import queue
from app.people import terms
from app.personal.deleting import NotTypedError, TellingReasonError, delete_oneself, delete_person
from app.provisioning.acts import ReasonError
from app.rights import permissions_of
from app.staff.reach import Actor, ColleagueError, OutOfReachError
from app.staff.sessions import FRESH
from tests.app.exchange.reporting import Line, activated
from tests.app.pages.seeded import Seeded
from tests.app.service_fixtures import Service
from tests.app.webadmin.desk import staff_at_desk

ADA = Actor(
    "staff:ada", permissions_of("administrator"), Reach.EVERYONE, "ada", StaffRole.ADMINISTRATOR
)
# Rare enough to be found nowhere by chance.
NAME = "Annabel Quisling-Zumwalt"
TRACES = (
    "ann@example.org",
    "Quisling",
    "quisling",
    "Zumwalt",
    "zumwalt",
    "Ann's laptop",
    "192.0.2.77",
)


@pytest.fixture
def line(service: Service) -> Line:
    """Ann with a name, a group, a device, an invitation, mail, a list she stands in, a session."""
    line = activated(service)
    line.send()
    with service.database.write() as session:
        name_her(session, service)
        invite_her(session, service)
        let_her_sign_in(session, service)
    return line


def name_her(session: Session, service: Service) -> None:
    """Give Ann a name, and put her into a group."""
    ann = service.ann.person_id
    session.execute(update(Person).where(Person.id == ann).values(name=NAME))
    session.add(PersonGroup(id="group", name="Sales", created_at=0))
    session.flush()
    session.add(GroupMember(group_id="group", person_id=ann))
    terms.refresh(session, ann)


def invite_her(session: Session, service: Service) -> None:
    """Have her stand in a list that was imported, with a mail that went to her."""
    now, ann = service.clock.now(), service.ann.person_id
    job = ImportJob(id="job", made_by="staff:ada", state=ImportState.DONE, reason="new")
    job.lines, job.created_at = 1, now
    session.add(job)
    session.flush()
    on_the_list = ImportLine(job_id="job", line=1, services="mail", groups="", name=NAME)
    on_the_list.address, on_the_list.normal = "Ann@example.org", "ann@example.org"
    session.add(on_the_list)
    session.add(
        Invitation(
            id="invitation",
            person_id=ann,
            address="ann@example.org",
            services="mail",
            state=InvitationState.ACCEPTED,
            reason=f"{NAME} is new",
            invited_by="staff:ada",
            import_id="job",
            created_at=now,
            expires_at=now + HOUR,
        )
    )
    queue(
        session,
        person_id=ann,
        address="ann@example.org",
        kind=MailKind.INVITED,
        facts={"name": NAME},
        now=now,
        entropy=service.entropy,
    )


def let_her_sign_in(session: Session, service: Service) -> None:
    """Start a session of hers, with a mail check in it."""
    now = service.clock.now()
    web = start(
        session,
        "t" * 43,
        Client("192.0.2.77", "Firefox"),
        person_id=service.ann.person_id,
        now=now,
        lifetime=HOUR,
        entropy=service.entropy,
    )
    session.flush()
    check = MailCheck(id="check", session_id=web.id, address="ann@example.org", server="{}")
    check.stage, check.created_at, check.expires_at = "done", now, now + HOUR
    session.add(check)


def delete(
    service: Service, *, actor: Actor = ADA, typed: str = NAME, reason: str = "asked"
) -> None:
    with service.database.write() as session:
        delete_person(
            session,
            actor,
            service.ann.person_id,
            typed=typed,
            reason=reason,
            now=service.clock.now(),
            entropy=service.entropy,
        )


def everything(database: Database) -> str:
    """Return the whole database as text, with what SQLite's files have beyond it."""
    with database.read_connection() as connection:
        rows = [
            repr(row)
            for table in Base.metadata.sorted_tables
            for row in connection.execute(select(table))
        ]
    if not database.is_sqlite:
        return "\n".join(rows)
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    path = Path(str(database.engine.url.database))
    files = [path, path.with_name(path.name + "-wal")]
    content = [file.read_bytes().decode("latin-1") for file in files if file.exists()]
    return "\n".join([*rows, *content])


def test_before_it_there_are_traces_everywhere(line: Line) -> None:
    found = everything(line.service.database)
    assert [trace for trace in TRACES if trace not in found] == []


def test_nothing_is_left_of_the_person(line: Line) -> None:
    service = line.service
    delete(service)
    with service.database.write() as session:
        # The worker removes it once it is sent; a test of the worker's shows that.
        for mail in session.scalars(select(OutgoingMail)):
            assert mail.kind == MailKind.DATA_DELETED
            session.delete(mail)
    found = everything(service.database)
    assert [trace for trace in TRACES if trace in found] == []
    # And whoever is not concerned has everything still.
    assert "bob@example.org" in found


def test_no_row_of_any_table_is_theirs(line: Line) -> None:
    delete(line.service)
    left = []
    with line.service.database.read_connection() as connection:
        for table in Base.metadata.sorted_tables:
            if "person_id" not in table.columns:
                continue
            theirs = table.columns["person_id"] == line.service.ann.person_id
            if connection.execute(select(table).where(theirs)).first() is not None:
                left.append(table.name)
    assert left == []


def test_its_device_is_told_that_the_key_is_over(line: Line) -> None:
    delete(line.service)
    assert line.notice().key == line.key.key_id


def test_one_entry_says_so_and_the_chain_still_holds(line: Line, tmp_path: Path) -> None:
    service = line.service
    seal_all(service, tmp_path)
    delete(service)
    seal_all(service, tmp_path)
    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.act, entry.actor, entry.target, entry.detail) == (
            Act.PERSON_DELETED,
            "staff:ada",
            service.ann.person_id,
            '{"reason":"asked"}',
        )
    keys = service.provider.load(KeyKind.AUDIT)
    later = service.clock.now() + HOUR
    report = verify(service.database, keys, heads=tmp_path / "heads", now=later)
    assert report.faults == []
    assert report.erased > 0


def seal_all(service: Service, folder: Path) -> None:
    now = service.clock.now()
    key = SigningKeys(KeyRing(service.provider, KeyKind.AUDIT)).current(now)
    while seal(service.database, folder / "heads", key, now=now):
        pass


def test_the_last_mail_goes_to_their_address(line: Line) -> None:
    delete(line.service)
    with line.service.database.read() as session:
        mail = session.scalars(select(OutgoingMail)).one()
    assert (mail.kind, mail.address, mail.person_id) == (
        MailKind.DATA_DELETED,
        "ann@example.org",
        None,
    )


@pytest.mark.parametrize("typed", [NAME, NAME.lower(), " ann@example.org ", "ANN@example.org"])
def test_a_name_or_an_address_confirms_it(line: Line, typed: str) -> None:
    delete(line.service, typed=typed)
    with line.service.database.read() as session:
        assert session.get(Person, line.service.ann.person_id) is None


@pytest.mark.parametrize("typed", ["", "Ann", "bob@example.org"])
def test_anything_else_does_not(line: Line, typed: str) -> None:
    with pytest.raises(NotTypedError):
        delete(line.service, typed=typed)


@pytest.mark.parametrize(
    "reason", [f"{NAME} left", f"because of ({NAME.lower()})", "see <ann@example.org>, is gone"]
)
def test_a_reason_that_tells_whom_is_refused(line: Line, reason: str) -> None:
    with pytest.raises(TellingReasonError):
        delete(line.service, reason=reason)


@pytest.mark.parametrize(
    ("name", "reason", "is_told"),
    [
        ("Al", "she also asked in writing", False),
        ("Al", "asked in writing by Al", True),
        ("Al", "Al's own wish", True),
        ("李", "应李要求", True),
    ],
)
def test_a_short_name_is_told_by_a_whole_word_only(
    line: Line, name: str, reason: str, is_told: bool
) -> None:
    with line.service.database.write() as session:
        person = session.get_one(Person, line.service.ann.person_id)
        person.name = name
    if is_told:
        with pytest.raises(TellingReasonError):
            delete(line.service, typed="ann@example.org", reason=reason)
    else:
        delete(line.service, typed="ann@example.org", reason=reason)


def test_a_reason_is_needed(line: Line) -> None:
    with pytest.raises(ReasonError):
        delete(line.service, reason=" ")


def test_who_is_out_of_reach_is_missing(line: Line) -> None:
    with pytest.raises(OutOfReachError):
        delete(line.service, actor=replace(ADA, reach=Reach.GROUPS))


def test_a_colleague_is_for_who_manages_staff(line: Line) -> None:
    with line.service.database.write() as session:
        session.add(
            Staff(
                id="s",
                login="ann",
                name="Ann",
                address="ann@example.org",
                role=StaffRole.AUDITOR,
                reach=Reach.EVERYONE,
                state=StaffState.ACTIVE,
                created_at=0,
            )
        )
    olu = replace(ADA, permissions=permissions_of("customer-care"))
    with pytest.raises(ColleagueError):
        delete(line.service, actor=olu)


def test_whoever_is_gone_cannot_be_deleted_again(line: Line) -> None:
    delete(line.service)
    with pytest.raises(OutOfReachError):
        delete(line.service)


def test_a_person_deletes_themself(line: Line) -> None:
    service = line.service
    with service.database.write() as session:
        delete_oneself(
            session,
            service.ann.person_id,
            typed="ann@example.org",
            now=service.clock.now(),
            entropy=service.entropy,
        )
    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert entry.actor == f"person:{service.ann.person_id}"
        assert session.scalars(select(MailAccount.person_id)).all() == [service.bob.person_id]


def test_the_portal_does_it_and_signs_out(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/my-data/delete")
    assert ann.post("/my-data/delete", {"typed": "bob@example.org"}).status_code == 400
    assert ann.post("/my-data/delete", {"typed": "ann@example.org"}).status_code == 303
    assert ann.get("/").headers["Location"].startswith("/sign-in")
    with lived_in.service.database.read() as session:
        assert session.get(Person, lived_in.ann.person_id) is None


def test_the_portal_asks_who_signed_in_long_ago_to_do_so_again(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/my-data/delete")
    with lived_in.service.database.write() as session:
        session.execute(update(WebSession).values(created_at=WebSession.created_at - 11 * MINUTE))
    assert ann.post("/my-data/delete", {"typed": "ann@example.org"}).status_code == 303
    ann.get("/my-data/delete")
    assert "Sign out and in again first" in ann.text()
    with lived_in.service.database.read() as session:
        assert session.get(Person, lived_in.ann.person_id) is not None


def test_staff_do_it_in_webadmin(lived_in: Seeded) -> None:
    ada = staff_at_desk(lived_in.app, StaffRole.ADMINISTRATOR)
    path = f"/admin/people/{lived_in.ann.person_id}/delete"
    ada.get(path)
    wrong = ada.post(path, {"typed": "nobody", "reason": "asked"})
    assert wrong.status_code == 400
    assert "neither the name nor an address" in ada.text()
    telling = ada.post(path, {"typed": "ann@example.org", "reason": "ann@example.org left"})
    assert telling.status_code == 400
    done = ada.post(path, {"typed": "ann@example.org", "reason": "asked by telephone"})
    assert done.headers["Location"] == "/admin/people"
    ada.get("/admin/people")
    assert "The person was deleted." in ada.text()
    assert ada.get(path).status_code == 404


@pytest.mark.parametrize("role", [StaffRole.CUSTOMER_CARE, StaffRole.AUDITOR])
def test_others_may_not(lived_in: Seeded, role: StaffRole) -> None:
    somebody = staff_at_desk(lived_in.app, role)
    assert somebody.get(f"/admin/people/{lived_in.ann.person_id}/delete").status_code == 403


def test_webadmin_asks_who_it_is_after_a_while(lived_in: Seeded) -> None:
    ada = staff_at_desk(lived_in.app, StaffRole.ADMINISTRATOR)
    ada.get("/admin")
    lived_in.service.clock.advance(FRESH)
    answer = ada.get(f"/admin/people/{lived_in.ann.person_id}/delete")
    assert "/admin/confirm" in answer.headers["Location"]
