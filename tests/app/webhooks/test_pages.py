"""Webhooks in WebAdmin: only for the owner; the secret is shown once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from app.models import AuditEntry, StaffRole, Webhook
from app.staff.sessions import FRESH
from app.webhooks.services import MOST_WEBHOOKS
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import Browser
from tests.app.webadmin.desk import staff_at_desk

GOOD = {"name": "Tickets", "url": "https://hooks.example.org/x", "acts": "key-revoked"}


@pytest.fixture
def sam(bare: Seeded) -> Browser:
    return staff_at_desk(bare.app, StaffRole.OWNER)


def add(sam: Browser, **fields: str) -> str:
    sam.get("/admin/webhooks/new")
    sam.post("/admin/webhooks/new", {**GOOD, **fields})
    found = re.search(r'href="(/admin/webhooks/[^"/]{22})"', sam.text())
    return "" if found is None else found[1]


def rows(bare: Seeded) -> list[Webhook]:
    with bare.service.database.read() as session:
        return list(session.scalars(select(Webhook)))


def acts(bare: Seeded) -> list[str]:
    with bare.service.database.read() as session:
        found = select(AuditEntry.act).where(AuditEntry.act.startswith("webhook"))
        return list(session.scalars(found.order_by(AuditEntry.id)))


@pytest.mark.parametrize(
    "role", [StaffRole.ADMINISTRATOR, StaffRole.CUSTOMER_CARE, StaffRole.AUDITOR]
)
def test_only_the_owner_may(bare: Seeded, role: StaffRole) -> None:
    somebody = staff_at_desk(bare.app, role)
    assert somebody.get("/admin/webhooks").status_code == 403


def test_a_secret_is_shown_once(sam: Browser, bare: Seeded) -> None:
    page = add(sam)
    secret = re.search(r"whsec_[A-Za-z0-9+/=]+", sam.text())
    assert secret is not None
    sam.get(page)
    assert secret[0] not in sam.text()
    assert "Tickets" in sam.text()
    (row,) = rows(bare)
    assert secret[0].encode() not in row.secret_sealed


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\nb"),
        ("url", "http://x.example"),
        ("acts", ""),
        ("acts", "made-up"),
    ],
)
def test_a_wrong_field_is_told(sam: Browser, bare: Seeded, field: str, value: str) -> None:
    sam.get("/admin/webhooks/new")
    answer = sam.post("/admin/webhooks/new", {**GOOD, field: value})
    assert answer.status_code == 400
    assert "There is a problem" in sam.text()
    assert rows(bare) == []


def test_it_is_paused_tested_resumed_and_ended(sam: Browser, bare: Seeded) -> None:
    page = add(sam)
    for what in ("pause", "resume", "test"):
        sam.get(page)
        assert sam.post(f"{page}/{what}").status_code == 303
    sam.get(page)
    assert "Webhook tested" in sam.text()
    sam.get(f"{page}/end")
    assert sam.post(f"{page}/end").status_code == 303
    assert sam.get(page).status_code == 404
    assert acts(bare) == [
        "webhook-changed",
        "webhook-changed",
        "webhook-changed",
        "webhook-tested",
        "webhook-changed",
    ]


def test_its_page_says_who_added_it(sam: Browser) -> None:
    sam.get(add(sam))
    assert re.search(r"Added by</dt>\s*<dd[^>]*>\s*Sam\s*<", sam.text())


def test_what_is_not_there_is_not_found(sam: Browser) -> None:
    missing = f"/admin/webhooks/{'x' * 22}"
    assert sam.get(missing).status_code == 404
    sam.get("/admin/webhooks")
    for what in ("pause", "resume", "test"):
        assert sam.post(f"{missing}/{what}").status_code in {403, 404}


def test_there_are_not_too_many(sam: Browser) -> None:
    for number in range(MOST_WEBHOOKS):
        assert add(sam, name=f"n{number}") != ""
    add(sam)
    assert "as many webhooks as there may be" in sam.text()


def test_adding_asks_who_it_is_after_a_while(sam: Browser, bare: Seeded) -> None:
    sam.get("/admin/webhooks")
    bare.service.clock.advance(FRESH)
    assert "/admin/confirm" in sam.get("/admin/webhooks/new").headers["Location"]
