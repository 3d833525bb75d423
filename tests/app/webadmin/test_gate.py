"""WebAdmin's gate: its own cookie, its own people, deny by default."""

from __future__ import annotations

import threading
from typing import Final

import pytest
from sqlalchemy import update

from app.models import Staff, StaffRole, StaffState
from app.staff.sessions import IDLE, LIFETIME
from tests.app.portal_fixtures import Portal
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk

# Seconds after which a page waits for something; it comes at once otherwise.
LONG: Final = 10


def test_nobody_gets_in_without_signing_in(portal: Portal) -> None:
    answer = portal.browser().get("/admin")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/admin/sign-in?next=/admin"


def test_who_is_signed_in_to_the_portal_is_nobody_here(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in()
    assert ann.get("/admin").headers["Location"].startswith("/admin/sign-in")


def test_staff_are_nobody_in_the_portal(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    assert ada.get("/admin").status_code == 200
    assert ada.get("/").headers["Location"].startswith("/sign-in")


@pytest.mark.parametrize("role", list(StaffRole))
def test_every_role_sees_the_first_page(portal: Portal, role: StaffRole) -> None:
    assert staff_at_desk(portal.app, role).get("/admin").status_code == 200


@pytest.mark.parametrize("wait", [IDLE, LIFETIME])
def test_a_session_ends_by_itself(portal: Portal, wait: int) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    portal.clock.advance(wait)
    assert olu.get("/admin").status_code == 303


def test_who_is_disabled_is_out_at_the_next_request(portal: Portal) -> None:
    staff_id = hire(portal.app, StaffRole.ADMINISTRATOR)
    ada = at_desk(portal.app, staff_id)
    with portal.database.write() as session:
        session.execute(update(Staff).where(Staff.id == staff_id).values(state=StaffState.DISABLED))
    assert ada.get("/admin").status_code == 303


def test_signing_out_ends_the_session_for_good(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin")
    kept = olu.client.get_cookie("__Host-handfast-admin", domain="portal.example.test")
    assert kept is not None
    olu.post("/admin/sign-out")
    olu.client.set_cookie(
        "__Host-handfast-admin", kept.value, domain="portal.example.test", secure=True
    )
    assert olu.get("/admin").status_code == 303


def test_a_form_without_this_sessions_token_changes_nothing(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    assert olu.post("/admin/sign-out", {"csrf_token": "x" * 43}).status_code == 403
    assert olu.get("/admin").status_code == 200


def test_a_page_answers_while_somebody_else_writes(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    ada.get("/admin/people")
    answers: list[int] = []
    look = threading.Thread(target=lambda: answers.append(ada.get("/admin/people").status_code))
    with portal.database.write():
        look.start()
        look.join(LONG)
        is_waiting = look.is_alive()
    look.join()
    assert (is_waiting, answers) == (False, [200])


def test_a_session_in_use_does_not_end(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    for _ in range(3):
        portal.clock.advance(IDLE - 1)
        assert ada.get("/admin").status_code == 200


def test_a_link_on_another_site_costs_nobody_their_session(portal: Portal) -> None:
    # The browser holds the cookie back, so that the gate sees none.
    from_elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    for path in ("/admin", "/admin/sign-in", "/admin/people?q=ann"):
        answer = portal.browser().get(path, headers=from_elsewhere)
        assert answer.status_code == 200
        assert 'http-equiv="refresh"' in answer.get_data(as_text=True)
        assert "Set-Cookie" not in answer.headers
    again = portal.browser().get("/admin", headers={"Sec-Fetch-Site": "same-origin"})
    assert again.status_code == 303
