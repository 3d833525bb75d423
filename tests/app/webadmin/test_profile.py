"""What members of staff do about themselves."""

from __future__ import annotations

import pytest

from app.models import RecoveryCode, Staff, StaffRole, StaffSession
from app.staff.sessions import FRESH
from tests.app.portal_fixtures import Portal
from tests.app.webadmin.desk import staff_at_desk
from tests.app.webadmin.newcomer import Newcomer, first_owner

OTHER = "copper window gentle river"


@pytest.fixture
def sam(portal: Portal) -> Newcomer:
    return first_owner(portal)


def test_the_profile_shows_what_there_is(sam: Newcomer) -> None:
    sam.browser.get("/admin/profile")
    for text in ("Authenticator app", "10 codes can still be used", "this browser"):
        assert text in sam.browser.text()


def test_a_name_is_changed(portal: Portal, sam: Newcomer) -> None:
    sam.browser.get("/admin/profile")
    sam.browser.post("/admin/profile/name", {"name": "  Samantha "})
    sam.browser.get("/admin/profile")
    assert "Your name was changed." in sam.browser.text()
    assert [row.name for row in portal.rows(Staff)] == ["Samantha"]
    assert portal.acts()[-1] == "staff-changed"


def test_a_name_with_an_invisible_character_is_refused(sam: Newcomer) -> None:
    sam.browser.get("/admin/profile")
    answer = sam.browser.post("/admin/profile/name", {"name": "Sam\u202eevil"})
    assert answer.status_code == 400


def test_a_new_password_ends_every_other_session(portal: Portal, sam: Newcomer) -> None:
    elsewhere = portal.browser()
    sam.sign_in(elsewhere)
    sam.browser.get("/admin/profile/password")
    assert (
        sam.browser.post("/admin/profile/password", {"password": OTHER, "again": OTHER})
        .headers["Location"]
        .endswith("/profile")
    )
    assert sam.browser.get("/admin/profile").status_code == 200
    assert elsewhere.get("/admin/profile").status_code == 303
    assert sam.give_password(elsewhere).status_code == 400
    assert sam.give_password(elsewhere, password=OTHER).status_code == 303


def test_a_common_password_is_refused_here_too(sam: Newcomer) -> None:
    sam.browser.get("/admin/profile/password")
    form = {"password": "qwertyuiop", "again": "qwertyuiop"}
    assert sam.browser.post("/admin/profile/password", form).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/admin/profile/password",
        "/admin/profile/recovery-codes",
        "/admin/profile/passkeys/add",
        "/admin/profile/authenticator",
        "/admin/staff/invite",
    ],
)
def test_what_is_sensitive_asks_who_it_is(portal: Portal, sam: Newcomer, path: str) -> None:
    portal.clock.advance(FRESH)
    asked = f"/admin/confirm-it-is-you?next={path}"
    assert sam.browser.get(path).headers["Location"] == asked
    sam.browser.get(asked)
    answer = sam.browser.post(
        "/admin/confirm-it-is-you",
        {"password": sam.password, "code": sam.code(), "next": path},
    )
    assert answer.headers["Location"] == path
    assert portal.acts()[-1] == "staff-confirmed"
    # A new token, as at every step.
    assert "Set-Cookie" in answer.headers
    assert sam.browser.get(path).status_code in {200, 303}


@pytest.mark.parametrize("wrong", ["password", "code"])
def test_neither_alone_confirms_anything(portal: Portal, sam: Newcomer, wrong: str) -> None:
    portal.clock.advance(FRESH)
    sam.browser.get("/admin/confirm-it-is-you")
    form = {"password": sam.password, "code": sam.code(), wrong: "000000"}
    assert sam.browser.post("/admin/confirm-it-is-you", form).status_code == 400
    assert sam.browser.get("/admin/profile/password").status_code == 303
    assert portal.acts()[-1] == "staff-sign-in-failed"


def test_a_change_that_is_not_fresh_changes_nothing(portal: Portal, sam: Newcomer) -> None:
    sam.browser.get("/admin/profile/password")
    token = sam.browser.token()
    portal.clock.advance(FRESH)
    form = {"password": OTHER, "again": OTHER, "csrf_token": token}
    answer = sam.browser.post("/admin/profile/password", form)
    assert answer.headers["Location"].startswith("/admin/confirm-it-is-you")
    assert sam.give_password(portal.browser(), password=OTHER).status_code == 400


def test_new_recovery_codes_are_the_end_of_the_old_ones(portal: Portal, sam: Newcomer) -> None:
    old = sam.codes
    assert len(sam.print_codes("/admin/profile/recovery-codes")) == 10
    assert len(portal.rows(RecoveryCode)) == 10
    elsewhere = portal.browser()
    sam.give_password(elsewhere)
    assert sam.give_code(old[0], elsewhere).status_code == 400
    assert sam.give_code(sam.codes[0], elsewhere).status_code == 303


def test_looking_at_them_again_makes_none(portal: Portal, sam: Newcomer) -> None:
    before = {row.id for row in portal.rows(RecoveryCode)}
    sam.browser.get("/admin/profile/recovery-codes")
    assert {row.id for row in portal.rows(RecoveryCode)} == before
    assert not any(code in sam.browser.text() for code in sam.codes)


def test_another_app_takes_the_place_of_the_one_before(portal: Portal, sam: Newcomer) -> None:
    before = sam.secret
    sam.browser.get("/admin/profile")
    sam.browser.post("/admin/profile/authenticator/begin")
    sam.take_app("/admin/profile/authenticator")
    assert sam.secret != before
    after, sam.secret = sam.secret, before
    elsewhere = portal.browser()
    sam.give_password(elsewhere)
    assert sam.give_code(sam.next_code(), elsewhere).status_code == 400
    sam.secret = after
    assert sam.give_code(sam.next_code(), elsewhere).status_code == 303


def test_the_app_before_works_until_the_new_one_has(portal: Portal, sam: Newcomer) -> None:
    sam.browser.get("/admin/profile")
    sam.browser.post("/admin/profile/authenticator/begin")
    sam.browser.get("/admin/profile/authenticator")
    assert sam.sign_in(portal.browser()).headers["Location"] == "/admin"


def test_the_only_second_step_stays(portal: Portal, sam: Newcomer) -> None:
    assert sam.browser.get("/admin/profile/authenticator/remove").status_code == 404
    sam.browser.get("/admin/profile")
    sam.browser.post("/admin/profile/authenticator/remove")
    sam.browser.get("/admin/profile")
    assert "Add another one first" in sam.browser.text()
    assert portal.rows(Staff)[0].totp_sealed is not None


def test_a_session_elsewhere_is_ended(portal: Portal, sam: Newcomer) -> None:
    elsewhere = portal.browser()
    sam.sign_in(elsewhere)
    ids = {row.id for row in portal.rows(StaffSession) if row.ended_at is None}
    sam.browser.get("/admin/profile")
    [other] = [one for one in ids if f"/sessions/{one}/end" in sam.browser.text()]
    sam.browser.get(f"/admin/profile/sessions/{other}/end")
    sam.browser.post(f"/admin/profile/sessions/{other}/end")
    assert elsewhere.get("/admin").status_code == 303
    assert sam.browser.get("/admin/profile").status_code == 200


def test_somebody_elses_session_is_a_missing_one(portal: Portal, sam: Newcomer) -> None:
    ada = staff_at_desk(portal.app, StaffRole.ADMINISTRATOR)
    [foreign] = [row.id for row in portal.rows(StaffSession) if row.user_agent == "Firefox/153.0"]
    sam.browser.get("/admin/profile")
    assert sam.browser.post(f"/admin/profile/sessions/{foreign}/end").status_code == 404
    assert ada.get("/admin").status_code == 200


def test_all_the_others_end_at_once(portal: Portal, sam: Newcomer) -> None:
    elsewhere = [portal.browser(), portal.browser()]
    for browser in elsewhere:
        sam.sign_in(browser)
    sam.browser.get("/admin/profile/sessions/end-others")
    sam.browser.post("/admin/profile/sessions/end-others")
    assert [browser.get("/admin").status_code for browser in elsewhere] == [303, 303]
    sam.browser.get("/admin/profile")
    assert "2 sessions were ended." in sam.browser.text()
