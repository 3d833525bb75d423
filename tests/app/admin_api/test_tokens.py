"""Tokens: what they may do, whose they are, and when they end."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from app import throttle
from app.clock import DAY
from app.models import ApiToken, AuditEntry, PersonGroup, Reach, Staff, StaffRole, StaffState
from app.rights import ROLES, Permission
from app.tokens.services import OPENED, NotGrantableError, grantable
from tests.app.admin_api.programs import program
from tests.app.api.caller import Caller
from tests.app.portal_fixtures import ANN, Portal
from tests.app.webadmin.desk import at_desk, hire, staff_at_desk


def test_a_token_is_kept_as_a_hash_and_begins_so_that_scanners_find_it(portal: Portal) -> None:
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    assert made.token.startswith("hfa_")
    assert len(made.token) == 47
    for row in portal.rows(ApiToken):
        assert made.token not in str(vars(row))
    assert not any(made.token in str(vars(row)) for row in portal.rows(AuditEntry))


def test_it_may_do_what_its_scopes_say_and_no_more(portal: Portal) -> None:
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR), [Permission.PEOPLE_SEE])
    assert made.call("GET", "/people").status_code == 200
    answer = made.call("GET", "/audit")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-permitted")


@pytest.mark.parametrize("role", list(StaffRole))
def test_nobody_gives_a_token_what_they_do_not_have(portal: Portal, role: StaffRole) -> None:
    staff_id = hire(portal.app, role)
    for permission in set(Permission) - set(grantable(ROLES[role])):  # type: ignore[index]  # both are roles
        with pytest.raises(NotGrantableError):
            program(portal.app, staff_id, [permission])
    with pytest.raises(NotGrantableError):
        program(portal.app, staff_id, [])


def test_no_token_manages_staff_or_tokens() -> None:
    never = {
        Permission.OWN,
        Permission.STAFF_OWN,
        Permission.STAFF_SEE,
        Permission.STAFF_MANAGE,
        Permission.TOKENS_MANAGE,
    }
    assert not never & OPENED
    assert set(grantable(Permission)) == OPENED


def test_its_rights_shrink_with_its_makers_role(portal: Portal) -> None:
    staff_id = hire(portal.app, StaffRole.ADMINISTRATOR)
    made = program(portal.app, staff_id)
    assert made.call("GET", "/imports").status_code == 200
    with portal.database.write() as session:
        session.execute(
            update(Staff).where(Staff.id == staff_id).values(role=StaffRole.CUSTOMER_CARE)
        )
    assert made.call("GET", "/imports").status_code == 403
    assert made.call("GET", "/people").status_code == 200


def test_it_ends_with_its_maker(portal: Portal) -> None:
    staff_id = hire(portal.app, StaffRole.ADMINISTRATOR)
    made = program(portal.app, staff_id)
    with portal.database.write() as session:
        session.execute(update(Staff).where(Staff.id == staff_id).values(state=StaffState.DISABLED))
    assert made.call("GET", "/people").status_code == 401


def test_it_ends_with_its_time(portal: Portal) -> None:
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR), days=2)
    portal.clock.advance(2 * DAY - 1)
    assert made.call("GET", "/people").status_code == 200
    portal.clock.advance(1)
    assert made.call("GET", "/people").status_code == 401


def test_its_makers_reach_is_its_reach(portal: Portal) -> None:
    portal.browser().sign_in(ANN)
    staff_id = hire(portal.app, StaffRole.CUSTOMER_CARE, reach=Reach.GROUPS)
    made = program(portal.app, staff_id)
    assert made.call("GET", "/people").get_json() == []
    everyone = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    (ann,) = everyone.call("GET", "/people").get_json()
    assert made.call("GET", f"/people/{ann['id']}").status_code == 404


def test_a_persons_token_opens_nothing_and_staffs_opens_nothing_of_people(portal: Portal) -> None:
    ann = Caller(portal.app)
    assert ann.sign_in(ANN).status_code == 200
    assert ann.call("GET", "/admin/people").status_code == 401
    made = program(portal.app, hire(portal.app, StaffRole.OWNER))
    assert Caller(portal.app, token=made.token).call("GET", "/keys").status_code == 401
    assert Caller(portal.app).call("GET", "/admin/people").status_code == 401


def test_a_cookie_of_webadmin_opens_nothing_of_the_api(portal: Portal) -> None:
    sam = staff_at_desk(portal.app, StaffRole.OWNER)
    assert sam.get("/admin").status_code == 200
    assert sam.get("/api/v1/admin/people").status_code == 401


def test_a_program_that_asks_without_end_is_slowed_down(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.api import requests

    monkeypatch.setattr(requests, "PER_TOKEN", throttle.Limit("token", 2, 60_000_000))
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    assert [made.call("GET", "/people").status_code for _ in range(3)] == [200, 200, 429]
    answer = made.call("GET", "/people")
    assert answer.headers["RateLimit"] == '"token";r=0;t=60'
    other = program(portal.app, hire(portal.app, StaffRole.OWNER))
    assert other.call("GET", "/people").status_code == 200


def test_it_is_made_shown_once_and_ended_on_its_pages(portal: Portal) -> None:
    ada = at_desk(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    ada.get("/admin/tokens")
    answer = ada.post(
        "/admin/tokens", {"name": "the personnel system", "scopes": ["people.see"], "days": "30"}
    )
    assert answer.status_code == 200
    (row,) = portal.rows(ApiToken)
    text = next(word for word in ada.text().split(">") if word.startswith("hfa_"))
    token = text.partition("<")[0]
    assert Caller(portal.app, token=token).call("GET", "/admin/people").status_code == 200
    ada.get("/admin/tokens")
    assert token not in ada.text()
    assert "the personnel system" in ada.text()
    ada.get(f"/admin/tokens/{row.id}/end")
    assert ada.post(f"/admin/tokens/{row.id}/end").status_code == 303
    assert Caller(portal.app, token=token).call("GET", "/admin/people").status_code == 401
    assert portal.acts()[-2:] == ["token-made", "token-ended"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"scopes": []},
        {"scopes": ["staff.manage"]},
        {"scopes": ["nonsense"]},
        {"days": "0"},
        {"days": "366"},
    ],
)
def test_what_cannot_be_is_refused(portal: Portal, wrong: dict[str, object]) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    ada.get("/admin/tokens")
    form = {"name": "x", "scopes": ["people.see"], "days": "30", **wrong}
    assert ada.post("/admin/tokens", form).status_code == 400
    assert portal.rows(ApiToken) == []


def test_the_last_use_is_noted(portal: Portal) -> None:
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    made.call("GET", "/people")
    (row,) = portal.rows(ApiToken)
    assert row.used_at == portal.clock.now()


def test_a_group_that_a_token_makes_is_there(portal: Portal) -> None:
    made = program(portal.app, hire(portal.app, StaffRole.ADMINISTRATOR))
    assert made.call("POST", "/groups", {"name": "Choir"}).status_code == 200
    assert made.call("POST", "/groups", {"name": "Choir"}).get_json()["code"] == "name-taken"
    with portal.database.read() as session:
        assert session.scalars(select(PersonGroup.name)).all() == ["Choir"]
