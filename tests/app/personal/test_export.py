"""What is given to a person of what is kept about them: everything but secrets."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.audit import Act
from app.models import AuditEntry, Base, OutgoingMail, StaffRole
from app.outbox.kinds import MailKind
from app.personal.exporting import COLUMNS, export
from tests.app.pages.seeded import Seeded
from tests.app.webadmin.desk import staff_at_desk

# What is of no use to anybody, is a secret, or is a key to one.
LEFT_OUT = {
    "mail_account": {"person_id"},
    "account_service": set(),
    "device": {"person_id", "identity", "confirm_by"},
    "service_key": {
        "person_id",
        "activation_id",
        "grant_id",
        "key_sealed",
        "fingerprint",
        "received",
        "window",
    },
    "activation": {
        "person_id",
        "ticket",
        "handle",
        "rotates_key_id",
        "document_expires_at",
        "bound_jkt",
        "attempts",
        "prs_sealed",
        "taken_at",
        "run",
        "confirm_hash",
        "complete",
        "successor_id",
    },
    "web_session": {"person_id", "token_hash", "flow", "device_jkt"},
    "invitation": {"person_id", "import_id", "replaces_id"},
    "outgoing_mail": {"person_id", "language", "attempts", "next_at"},
}


@pytest.mark.parametrize("table", COLUMNS, ids=lambda table: table.__tablename__)
def test_every_column_is_exported_or_left_out_on_purpose(table: type[Base]) -> None:
    columns = {column.name for column in table.__table__.columns}
    left = columns - set(COLUMNS[table])
    assert left == LEFT_OUT.get(table.__tablename__, set())


def test_it_is_what_ann_has(lived_in: Seeded) -> None:
    service = lived_in.service
    with service.database.read() as session:
        found = json.loads(
            export(session, lived_in.ann.person_id, service="Handfast", now=service.clock.now())
        )
    assert found["person"]["id"] == lived_in.ann.person_id
    assert {one["address"] for one in found["mail_accounts"]} >= {"ann@example.org"}
    assert lived_in.laptop in {one["id"] for one in found["devices"]}
    assert lived_in.key in {one["id"] for one in found["keys"]}
    assert "document-issued" in {one["act"] for one in found["history"]}
    assert "bob@example.org" not in json.dumps(found)


def test_ann_downloads_it(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get("/my-data")
    answer = ann.post("/my-data/download")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["person"]["id"] == lived_in.ann.person_id
    ann.get("/history")
    assert "Everything that is kept about you was exported." in ann.text()


def test_staff_export_it_with_a_reason_and_the_person_is_told(lived_in: Seeded) -> None:
    ada = staff_at_desk(lived_in.app, StaffRole.ADMINISTRATOR)
    path = f"/admin/people/{lived_in.ann.person_id}/export"
    ada.get(path)
    assert ada.post(path, {"reason": ""}).status_code == 400
    answer = ada.post(path, {"reason": "she asked for it"})
    assert answer.get_json()["person"]["id"] == lived_in.ann.person_id
    with lived_in.service.database.read() as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert entry is not None
        assert (entry.act, entry.detail) == (Act.DATA_EXPORTED, '{"reason":"she asked for it"}')
        kinds = session.scalars(select(OutgoingMail.kind)).all()
        assert MailKind.DATA_EXPORTED in kinds


def test_customer_care_exports_nobody(lived_in: Seeded) -> None:
    olu = staff_at_desk(lived_in.app, StaffRole.CUSTOMER_CARE)
    assert olu.get(f"/admin/people/{lived_in.ann.person_id}/export").status_code == 403


def test_nobody_is_exported_who_is_not_there(lived_in: Seeded) -> None:
    ada = staff_at_desk(lived_in.app, StaffRole.ADMINISTRATOR)
    assert ada.get(f"/admin/people/{'x' * 22}/export").status_code == 404
