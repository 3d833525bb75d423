"""Looking after staff: nobody gives what they do not have, and an owner stays."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from app.models import PersonGroup, Reach, Staff, StaffGroup, StaffRole, StaffState
from tests.app.admin_api.programs import program
from tests.app.portal_fixtures import Browser, Portal
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk
from tests.app.webadmin.newcomer import Newcomer, give_keys

OWNER, ADMINISTRATOR = StaffRole.OWNER, StaffRole.ADMINISTRATOR
CARE, AUDITOR = StaffRole.CUSTOMER_CARE, StaffRole.AUDITOR


def invitation(**more: str) -> dict[str, str]:
    return {"name": "Olu", "login": "olu", "role": "customer-care", "reach": "everyone", **more}


def invite(browser: Browser, **more: str) -> str:
    """Invite somebody and return the secret of the link, empty if it was refused."""
    browser.get("/admin/staff/invite")
    browser.post("/admin/staff/invite", invitation(**more))
    found = re.search(r"/admin/welcome#([\w-]{43})", browser.text())
    return found[1] if found else ""


def one(portal: Portal, login: str) -> Staff:
    return next(row for row in portal.rows(Staff) if row.login == login)


def test_who_is_invited_comes_in_by_the_link(portal: Portal) -> None:
    give_keys(portal)
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    link = invite(ada, address="Olu@Example.org")
    assert portal.acts() == ["staff-invited", "staff-link-made"]
    Newcomer(portal, portal.browser(), login="olu", name="Olu").join(link)
    olu = one(portal, "olu")
    assert (olu.state, olu.role, olu.address) == ("active", "customer-care", "olu@example.org")
    assert (olu.created_by or "").startswith("staff:")


def test_the_link_is_shown_once(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    link = invite(ada)
    ada.get(f"/admin/staff/{one(portal, 'olu').id}")
    assert link not in ada.text()
    assert "The link is good until" in ada.text()


def test_a_login_is_given_once(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    assert invite(ada)
    assert invite(ada) == ""
    assert "Somebody else signs in with it." in ada.text()


@pytest.mark.parametrize("login", ["o", "Olu Ola", "-olu", "olu\n", "ölu"])
def test_a_login_is_plain(portal: Portal, login: str) -> None:
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    invite(ada, login=login)
    assert [row.login for row in portal.rows(Staff)] in (["ada"], ["ada", "olu"])


def test_an_administrator_makes_no_owner(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    ada.get("/admin/staff/invite")
    assert 'value="owner"' not in ada.text()
    assert invite(ada, role="owner") == ""
    assert [row.login for row in portal.rows(Staff)] == ["ada"]


def test_an_owner_makes_owners(portal: Portal) -> None:
    assert invite(staff_at_desk(portal.app, OWNER), role="owner")


@pytest.mark.parametrize("act", ["role", "name", "disable", "reset", "end-sessions"])
def test_an_administrator_leaves_the_owner_alone(portal: Portal, act: str) -> None:
    sam = hire(portal.app, OWNER)
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    ada.get("/admin/profile")
    token = ada.token()
    path = f"/admin/staff/{sam}/{act}"
    assert ada.get(path).status_code == 403
    form = {"reason": "because", "role": "auditor", "reach": "everyone", "name": "X"}
    assert ada.post(path, {**form, "csrf_token": token}).status_code == 403
    row = one(portal, "sam")
    assert (row.role, row.state, row.name) == ("owner", "active", "Sam")


@pytest.mark.parametrize("role", [OWNER, ADMINISTRATOR])
@pytest.mark.parametrize("act", ["role", "disable", "reset"])
def test_nobody_changes_what_they_are_themselves(portal: Portal, role: StaffRole, act: str) -> None:
    me = hire(portal.app, role)
    browser = at_desk(portal.app, me)
    browser.get("/admin/profile")
    token = browser.token()
    path = f"/admin/staff/{me}/{act}"
    form = {"reason": "because", "role": "auditor", "reach": "everyone", "csrf_token": token}
    assert browser.get(path).status_code == 403
    assert browser.post(path, form).status_code == 403


def test_a_new_role_is_in_force_at_the_next_request(portal: Portal) -> None:
    olu_id = hire(portal.app, CARE)
    olu = at_desk(portal.app, olu_id)
    assert olu.get("/admin/staff").status_code == 403
    change(staff_at_desk(portal.app, OWNER), olu_id, role="administrator")
    assert olu.get("/admin/staff").status_code == 200
    change(at_desk(portal.app, one(portal, "sam").id), olu_id, role="customer-care")
    assert olu.get("/admin/staff").status_code == 403
    assert portal.acts().count("staff-role-changed") == 2


def change(browser: Browser, staff_id: str, **form: str) -> int:
    browser.get(f"/admin/staff/{staff_id}/role")
    answer = browser.post(f"/admin/staff/{staff_id}/role", {"reach": "everyone", **form})
    return answer.status_code


def test_who_is_disabled_is_out_and_may_come_back(portal: Portal) -> None:
    olu_id = hire(portal.app, CARE)
    olu, ada = at_desk(portal.app, olu_id), staff_at_desk(portal.app, ADMINISTRATOR)
    ada.get(f"/admin/staff/{olu_id}/disable")
    ada.post(f"/admin/staff/{olu_id}/disable", {"reason": "left us"})
    assert olu.get("/admin").status_code == 303
    assert one(portal, "olu").state == StaffState.DISABLED
    ada.get(f"/admin/staff/{olu_id}")
    ada.post(f"/admin/staff/{olu_id}/enable")
    # Olu never had a second factor here, so a link is needed first.
    assert one(portal, "olu").state == StaffState.INVITED
    assert olu.get("/admin").status_code == 303


@pytest.mark.parametrize("act", ["disable", "reset"])
def test_their_tokens_end_for_good(portal: Portal, act: str) -> None:
    olu_id = hire(portal.app, CARE)
    made, ada = program(portal.app, olu_id), staff_at_desk(portal.app, ADMINISTRATOR)
    assert made.call("GET", "/people").status_code == 200
    ada.get(f"/admin/staff/{olu_id}/{act}")
    ada.post(f"/admin/staff/{olu_id}/{act}", {"reason": "left us"})
    with portal.database.write() as session:
        session.execute(update(Staff).where(Staff.id == olu_id).values(state=StaffState.ACTIVE))
    assert made.call("GET", "/people").status_code == 401


def test_a_reason_is_asked(portal: Portal) -> None:
    olu_id = hire(portal.app, CARE)
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    ada.get(f"/admin/staff/{olu_id}/disable")
    assert ada.post(f"/admin/staff/{olu_id}/disable", {"reason": " "}).status_code == 400
    assert one(portal, "olu").state == StaffState.ACTIVE


def test_a_reset_takes_everything_away_and_gives_a_link(portal: Portal) -> None:
    give_keys(portal)
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    olu = Newcomer(portal, portal.browser(), login="olu", name="Olu").join(invite(ada))
    olu_id, before = one(portal, "olu").id, (olu.password, olu.secret)
    ada.get(f"/admin/staff/{olu_id}/reset")
    ada.post(f"/admin/staff/{olu_id}/reset")
    found = re.search(r"/admin/welcome#([\w-]{43})", ada.text())
    assert found
    assert olu.browser.get("/admin").status_code == 303
    assert olu.give_password().status_code == 400
    olu.password = "paper lantern seven bridges"
    olu.join(found[1])
    assert before != (olu.password, olu.secret)
    assert olu.browser.get("/admin").status_code == 200


def test_who_reaches_some_groups_gives_no_more(portal: Portal) -> None:
    with portal.database.write() as session:
        session.add_all(PersonGroup(id=f"g{n}", name=n, created_at=1) for n in ("North", "South"))
    ada_id = hire(portal.app, ADMINISTRATOR, reach=Reach.GROUPS)
    with portal.database.write() as session:
        session.add(StaffGroup(staff_id=ada_id, group_id="gNorth"))
    ada, olu_id = at_desk(portal.app, ada_id), hire(portal.app, CARE)
    assert invite(ada, login="a.new.one", reach="everyone") == ""
    assert invite(ada, login="a.new.one", reach="groups", groups="gSouth") == ""
    assert invite(ada, login="a.new.one", reach="groups", groups="gNorth")
    # Olu reaches further than Ada.
    assert ada.get(f"/admin/staff/{olu_id}/role").status_code == 403


def test_groups_are_asked_for_where_the_reach_is_groups(portal: Portal) -> None:
    olu_id = hire(portal.app, CARE)
    sam = staff_at_desk(portal.app, OWNER)
    assert change(sam, olu_id, role="customer-care", reach="groups") == 400
    assert "Choose at least one group." in sam.text()


def test_customer_care_sees_nothing_of_it(portal: Portal) -> None:
    sam_id, olu = hire(portal.app, OWNER), staff_at_desk(portal.app, CARE)
    olu.get("/admin/profile")
    token = olu.token()
    assert "/admin/staff" not in olu.text()
    for path in ("", f"/{sam_id}", "/invite", f"/{sam_id}/role", f"/{sam_id}/reset"):
        assert olu.get(f"/admin/staff{path}").status_code == 403
    for path in (f"/{sam_id}/disable", "/invite", f"/{sam_id}/reset"):
        assert olu.post(f"/admin/staff{path}", {"csrf_token": token}).status_code == 403


def test_an_auditor_sees_it_and_changes_nothing(portal: Portal) -> None:
    sam_id, uma = hire(portal.app, OWNER), staff_at_desk(portal.app, AUDITOR)
    uma.get(f"/admin/staff/{sam_id}")
    assert uma.page is not None
    assert uma.page.status_code == 200
    assert "Disable" not in uma.text()
    assert uma.get(f"/admin/staff/{sam_id}/disable").status_code == 403


def test_a_member_who_does_not_exist_is_not_found(portal: Portal) -> None:
    ada = staff_at_desk(portal.app, ADMINISTRATOR)
    assert ada.get("/admin/staff/" + "A" * 22).status_code == 404
    assert ada.get("/admin/staff/" + "A" * 22 + "/disable").status_code == 404
