"""What every page of WebAdmin shows around itself: a bar of its own, and who works in it."""

from __future__ import annotations

import re

import pytest

from app.clock import MINUTE
from app.models import StaffRole
from app.staff.sessions import IDLE
from tests.app.portal_fixtures import Portal
from tests.app.webadmin.desk import NAMES, staff_at_desk

AS_SCRIPT = {"Accept": "application/json"}


@pytest.mark.parametrize(
    ("role", "said"),
    [
        (StaffRole.OWNER, "Owner"),
        (StaffRole.ADMINISTRATOR, "Administrator"),
        (StaffRole.CUSTOMER_CARE, "Customer care"),
        (StaffRole.AUDITOR, "Auditor"),
    ],
)
def test_the_header_says_who_works_here_and_as_what(
    portal: Portal, role: StaffRole, said: str
) -> None:
    somebody = staff_at_desk(portal.app, role)
    somebody.get("/admin")
    header = somebody.text().split("<header")[1].split("</header>")[0]
    assert NAMES[role] in header
    assert f'<span class="role">{said}</span>' in header
    assert 'href="/admin"' in header.split("brand")[1]


def test_a_page_of_the_area_is_told_from_the_portals_by_its_title(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    ada.get("/admin")
    assert "<title>Overview · Handfast WebAdmin</title>" in ada.text()


def test_the_way_to_each_page_is_there_once_for_wide_and_once_for_narrow(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    ada.get("/admin")
    header = ada.text().split("<header")[1].split("</header>")[0]
    wide, narrow = re.findall("<nav.*?</nav>", header, re.S)
    links = r'<a href="([^"]+)"( aria-current="page")?>'
    assert re.findall(links, narrow) == re.findall(links, wide)
    assert ("/admin", ' aria-current="page"') in re.findall(links, wide)


def test_a_script_renews_the_session_and_is_told_for_how_long(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin")
    portal.clock.advance(IDLE - MINUTE)
    answer = olu.post("/admin/renew", headers=AS_SCRIPT)
    assert answer.get_json() == {"seconds_left": 1800, "is_final": False}
    portal.clock.advance(IDLE - MINUTE)
    assert olu.get("/admin").status_code == 200


def test_without_a_script_the_same_form_leads_to_a_page_that_says_so(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin")
    assert olu.post("/admin/renew").headers["Location"] == "/admin"
    olu.get("/admin")
    assert "You stay signed in." in olu.text()


def test_that_the_session_ends_soon_is_said_before(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin")
    notice = re.search(r'<div [^>]*id="session-notice"[^>]*>', olu.text())
    assert notice is not None
    assert 'data-seconds-left="1800"' in notice[0]
    assert '<form method="post" action="/admin/renew"' in olu.text()


def test_an_error_is_told_within_the_area(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    olu.get("/admin/nothing")
    assert "Page not found · Handfast WebAdmin" in olu.text()
    assert '<a class="button" href="/admin">Go to the first page</a>' in olu.text()


def test_who_may_not_is_told_so_and_not_that_a_page_was_too_old(portal: Portal) -> None:
    olu = staff_at_desk(portal.app, StaffRole.CUSTOMER_CARE)
    assert olu.get("/admin/staff/invite").status_code == 403
    assert "Your role does not allow this" in olu.text()
