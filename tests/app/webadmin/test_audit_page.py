"""The audit's page: found, paged, within reach, exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from app.audit import Act, record
from app.auditing.sealing import seal
from app.clock import MINUTE
from app.metrics.health import AUDIT_LAG
from app.models import (
    AuditEntry,
    GroupMember,
    Person,
    PersonGroup,
    Reach,
    StaffGroup,
    StaffRole,
)
from app.people import terms
from app.staff.sessions import FRESH
from protocol.signing import SigningKey
from tests.app.pages.seeded import Seeded, bare_portal
from tests.app.portal_fixtures import Browser
from tests.app.service_fixtures import Entropy
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk


@dataclass
class Desk:
    """The portal with something in its audit, and who works there."""

    seeded: Seeded
    ada: str

    @property
    def app(self) -> Flask:
        """The portal."""
        return self.seeded.app

    def note(self, act: Act, person: str | None, target: str, **facts: str | int) -> None:
        """Have Ada do something."""
        service = self.seeded.service
        with service.database.write() as session:
            record(
                session,
                at=service.clock.now(),
                actor=f"staff:{self.ada}",
                act=act,
                subject=person,
                target=target,
                detail=facts,
            )

    def browser(self, role: StaffRole = StaffRole.AUDITOR) -> Browser:
        """Sit somebody down."""
        return staff_at_desk(self.app, role)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with bare_portal(tmp_path) as seeded:
        with seeded.service.database.write() as session:
            for owner in (seeded.ann, seeded.service.bob):
                terms.refresh(session, owner.person_id)
        built = Desk(seeded, hire(seeded.app, StaffRole.ADMINISTRATOR))
        built.note(Act.KEY_REVOKED, seeded.ann.person_id, "key-1", reason="lost on a train")
        built.note(Act.DEVICE_REVOKED, seeded.service.bob.person_id, "device-1", reason="broken")
        built.note(Act.PIN_CHANGED, None, "example.org", host="imap.example.org")
        yield built


def test_an_entry_says_what_whom_who_and_why(desk: Desk) -> None:
    uma = desk.browser()
    uma.get("/admin/audit")
    page = uma.text()
    assert "Key revoked" in page
    assert "ann@example.org" in page
    assert "Ada" in page
    assert "lost on a train" in page
    assert "not sealed yet" in page


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("person=ann", "key-1", "device-1"),
        ("act=device-revoked", "device-1", "key-1"),
        ("target=key-1", "key-1", "device-1"),
        ("actor=staff:nobody", "Nothing found", "key-1"),
        ("person=carol", "Nothing found", "key-1"),
        ("since=2999-01-01", "Nothing found", "key-1"),
        ("until=1999-01-01", "Nothing found", "key-1"),
        ("since=rubbish&until=9999-12-31&act=rubbish&after=x&before=1-", "key-1", "Nothing found"),
        ("actor=a%00b", "key-1", "Nothing found"),
        ("target=%ff", "Nothing found", "key-1"),
    ],
)
def test_it_is_found(desk: Desk, query: str, found: str, missing: str) -> None:
    uma = desk.browser()
    assert uma.get(f"/admin/audit?{query}").status_code == 200
    assert found in uma.text()
    assert f"<code>{missing}" not in uma.text()


def test_who_did_it_is_chosen_by_name(desk: Desk) -> None:
    uma = desk.browser()
    uma.get(f"/admin/audit?actor=staff:{desk.ada}")
    assert f'<option value="staff:{desk.ada}" selected>Ada</option>' in uma.text()
    assert "key-1" in uma.text()


def test_pages_follow_each_other_without_a_gap(desk: Desk) -> None:
    for number in range(120):
        desk.seeded.service.clock.advance(1)
        desk.note(Act.KEY_REVOKED, desk.seeded.ann.person_id, f"n-{number}", reason="again")
    uma = desk.browser()
    seen: list[str] = []
    address = "/admin/audit?act=key-revoked"
    while address:
        uma.get(address)
        seen += [part.partition("</code>")[0] for part in uma.text().split("<code>")[1:]]
        address = link(uma, "next")
    assert seen == [*(f"n-{number}" for number in reversed(range(120))), "key-1"]
    uma.get(link(uma, "prev"))
    assert "<code>n-69</code>" in uma.text()


def link(browser: Browser, rel: str) -> str:
    _, found, rest = browser.text().partition(f'rel="{rel}" href="')
    return rest.partition('"')[0] if found else ""


def test_the_place_in_the_chain_is_shown(desk: Desk, tmp_path: Path) -> None:
    service = desk.seeded.service
    key = SigningKey.generate(entropy=Entropy("audit"))
    seal(service.database, tmp_path / "heads", key, now=service.clock.now())
    uma = desk.browser()
    uma.get("/admin/audit")
    assert "position 3" in uma.text()
    assert "not sealed yet" not in uma.text()


def test_a_sealer_that_is_late_is_told(desk: Desk) -> None:
    uma, clock = desk.browser(), desk.seeded.service.clock
    clock.advance(AUDIT_LAG - MINUTE)
    uma.get("/admin/audit")
    assert "Is the worker running?" not in uma.text()
    clock.advance(MINUTE)
    uma.get("/admin/audit")
    assert "more than 5 minutes. Is the worker running?" in uma.text()


def test_tampering_that_was_found_is_told(desk: Desk) -> None:
    desk.note(Act.AUDIT_VERIFIED, None, "", entries=3, faults=1)
    uma = desk.browser()
    uma.get("/admin/audit")
    assert "Somebody tampered with the audit" in uma.text()


def limited(desk: Desk) -> Browser:
    """Uma looks after Bob's group only."""
    staff_id = hire(desk.app, StaffRole.AUDITOR, reach=Reach.GROUPS)
    with desk.seeded.service.database.write() as session:
        session.add(PersonGroup(id="g", name="Sales", created_at=0))
        session.flush()
        bob = desk.seeded.service.bob.person_id
        session.add(GroupMember(group_id="g", person_id=bob))
        session.add(StaffGroup(group_id="g", staff_id=staff_id))
    return at_desk(desk.app, staff_id)


@pytest.mark.parametrize("query", ["", "?person=ann", "?target=key-1", "?act=pin-changed"])
def test_who_is_out_of_reach_is_missing(desk: Desk, query: str) -> None:
    uma = limited(desk)
    uma.get(f"/admin/audit{query}")
    assert "ann@example.org" not in uma.text()
    assert "<code>key-1" not in uma.text()
    assert "imap.example.org" not in uma.text()


def test_an_export_holds_nobody_out_of_reach(desk: Desk) -> None:
    uma = limited(desk)
    uma.get("/admin/audit/export")
    answer = uma.post("/admin/audit/export", {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row["target"] for row in rows] == ["device-1"]


def test_customer_care_sees_no_audit(desk: Desk) -> None:
    olu = desk.browser(StaffRole.CUSTOMER_CARE)
    assert olu.get("/admin/audit").status_code == 403


def test_an_export_for_a_spreadsheet_runs_nothing(desk: Desk) -> None:
    ann = desk.seeded.ann.person_id
    desk.note(Act.KEY_REVOKED, ann, "=cmd|' /C calc'!A0", reason="=1+1")
    uma = desk.browser()
    uma.get("/admin/audit/export?person=ann")
    answer = uma.post("/admin/audit/export", {"format": "csv", "person": "ann"})
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row["reason"] for row in rows] == ["lost on a train", "'=1+1"]
    assert rows[1]["target"].startswith("'=")
    assert rows[0]["actor_name"] == "Ada"


def test_an_export_for_a_program_has_everything_a_verifier_needs(desk: Desk) -> None:
    uma = desk.browser()
    uma.get("/admin/audit/export")
    answer = uma.post("/admin/audit/export", {"format": "jsonl"})
    lines = [json.loads(line) for line in answer.get_data().splitlines()]
    assert json.loads(lines[0]["record"])["act"] == "key-revoked"
    assert set(lines[0]) == {"position", "id", "record", "detail", "salt", "hash"}


def test_an_export_of_too_many_people_is_none(desk: Desk) -> None:
    add_many(desk)
    uma = desk.browser()
    uma.get("/admin/audit/export")
    answer = uma.post("/admin/audit/export", {"format": "csv", "person": "zed"})
    assert answer.headers["Location"] == "/admin/audit?person=zed"


def test_an_export_is_audited_with_what_was_looked_for(desk: Desk) -> None:
    uma = desk.browser()
    uma.get("/admin/audit/export")
    uma.post("/admin/audit/export", {"format": "jsonl", "person": "ann"})
    with desk.seeded.service.database.read() as session:
        entry = session.query(AuditEntry).order_by(AuditEntry.id.desc()).first()
        assert entry is not None
        assert entry.act == Act.AUDIT_EXPORTED
        assert entry.actor.startswith("staff:")
        ann = desk.seeded.ann.person_id
        assert entry.detail == f'{{"format":"jsonl","person":"{ann}"}}'


def test_an_export_in_no_known_form_is_refused(desk: Desk) -> None:
    uma = desk.browser()
    uma.get("/admin/audit/export")
    assert uma.post("/admin/audit/export", {"format": "exe"}).status_code == 400


def test_an_export_asks_who_it_is_after_a_while(desk: Desk) -> None:
    uma = desk.browser()
    uma.get("/admin/audit")
    desk.seeded.service.clock.advance(FRESH)
    assert "/admin/confirm" in uma.get("/admin/audit/export").headers["Location"]


def test_somebody_who_was_deleted_is_found_by_their_id(desk: Desk) -> None:
    gone = "g" * 22
    desk.note(Act.KEY_REVOKED, gone, "key-9", reason="gone")
    uma = desk.browser()
    uma.get(f"/admin/audit?person={gone}")
    assert "somebody who was deleted" in uma.text()
    assert "key-9" in uma.text()
    assert "key-1" not in uma.text()


def test_too_many_people_are_not_looked_through(desk: Desk) -> None:
    add_many(desk)
    uma = desk.browser()
    uma.get("/admin/audit?person=zed")
    assert "Too many people fit that" in uma.text()


def add_many(desk: Desk) -> None:
    """Add more people of one name than are looked through."""
    with desk.seeded.service.database.write() as session:
        for number in range(201):
            session.add(Person(id=f"many-{number}", name=f"Zed {number}", created_at=0))
        session.flush()
        for number in range(201):
            terms.refresh(session, f"many-{number}")
