"""Passkeys: made for this host, unlocked by their owner, each answer good once."""

from __future__ import annotations

from typing import Any

import pytest

from app.models import StaffPasskey
from tests.app.portal_fixtures import ISSUER, Browser, Portal
from tests.app.webadmin.newcomer import Newcomer, first_link, first_owner, give_keys
from tests.peers.authenticator import Passkey

HOST = "portal.example.test"


@pytest.fixture
def sam(portal: Portal) -> Newcomer:
    return first_owner(portal)


def options(browser: Browser, path: str, page: str) -> dict[str, Any]:
    """Ask as a page's script does."""
    browser.get(page)
    token = browser.token()
    answer = browser.post(path, {"csrf_token": token})
    assert answer.status_code == 200, browser.text()
    found: dict[str, Any] = answer.get_json()
    browser.get(page)
    return found


def add(sam: Newcomer, passkey: Passkey, name: str = "blue key") -> int:
    """Add a passkey in the profile."""
    asked = options(sam.browser, "/admin/profile/passkeys/options", "/admin/profile/passkeys/add")
    form = {"answer": passkey.make(asked), "name": name}
    return sam.browser.post("/admin/profile/passkeys/add", form).status_code


def sign_in(browser: Browser, passkey: Passkey, page: str = "/admin/sign-in") -> int:
    """Sign in with a passkey, alone or after the password."""
    asked = options(browser, "/admin/sign-in/passkey/options", page)
    return browser.post("/admin/sign-in/passkey", {"answer": passkey.show(asked)}).status_code


def key() -> Passkey:
    return Passkey(ISSUER, HOST)


def test_a_passkey_signs_in_alone(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    assert add(sam, blue) == 303
    elsewhere = portal.browser()
    assert sign_in(elsewhere, blue.but(counter=2)) == 303
    assert elsewhere.get("/admin").status_code == 200
    [row] = portal.rows(StaffPasskey)
    assert (row.name, row.sign_count, row.used_at) == ("blue key", 2, portal.clock.now())


def test_or_after_the_password(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    elsewhere = portal.browser()
    sam.give_password(elsewhere)
    assert sign_in(elsewhere, blue.but(counter=2), "/admin/sign-in/second") == 303
    assert elsewhere.get("/admin").status_code == 200


def test_it_confirms_who_it_is(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    portal.clock.advance(11 * 60_000_000)
    page = "/admin/confirm-it-is-you?next=/admin/profile/password"
    asked = options(sam.browser, "/admin/confirm-it-is-you/passkey/options", page)
    form = {"answer": blue.but(counter=2).show(asked), "next": "/admin/profile/password"}
    answer = sam.browser.post("/admin/confirm-it-is-you/passkey", form)
    assert answer.headers["Location"] == "/admin/profile/password"
    assert sam.browser.get("/admin/profile/password").status_code == 200


def test_a_passkey_is_a_second_step_for_who_comes_first(portal: Portal) -> None:
    give_keys(portal)
    sam, blue = Newcomer(portal, portal.browser()), key()
    sam.open(first_link(portal))
    sam.choose_password()
    asked = options(sam.browser, "/admin/welcome/passkey/options", "/admin/welcome/factor")
    form = {"answer": blue.make(asked), "name": ""}
    assert sam.browser.post("/admin/welcome/passkey", form).status_code == 303
    sam.print_codes()
    assert sam.finish().headers["Location"] == "/admin"


def ask_instead(browser: Browser, page: str) -> tuple[dict[str, Any], str]:
    """Ask for a passkey with the token of a session that is for something else."""
    browser.get(page)
    answer = browser.post("/admin/sign-in/passkey/options", {"csrf_token": browser.token()})
    assert answer.status_code == 200, browser.text()
    asked: dict[str, Any] = answer.get_json()
    return asked, answer.headers["Handfast-Form-Token"]


def test_a_passkey_signs_in_from_the_middle_of_enrolling(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    eve = Newcomer(portal, portal.browser(), login="eve", name="Eve")
    eve.open(first_link(portal, "a second owner"))
    asked, token = ask_instead(eve.browser, "/admin/sign-in")
    form = {"answer": blue.but(counter=2).show(asked), "csrf_token": token}
    assert eve.browser.post("/admin/sign-in/passkey", form).status_code == 303
    assert eve.browser.get("/admin").status_code == 200


def test_a_passkey_signs_in_who_is_signed_in(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    asked, token = ask_instead(sam.browser, "/admin/profile")
    form = {"answer": blue.but(counter=2).show(asked), "csrf_token": token}
    assert sam.browser.post("/admin/sign-in/passkey", form).status_code == 303
    assert sam.browser.get("/admin").status_code == 200


def test_what_is_asked_of_the_browser(sam: Newcomer) -> None:
    asked = options(sam.browser, "/admin/profile/passkeys/options", "/admin/profile/passkeys/add")
    assert asked["rp"] == {"id": HOST, "name": "Handfast"}
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["user"]["name"] == "sam"


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://portal.example.test"},
        {"origin": "https://evil.example"},
        {"host": "example.test"},
        {"is_unlocked": False},
    ],
)
def test_a_passkey_made_elsewhere_or_locked_is_not_kept(
    portal: Portal, sam: Newcomer, wrong: dict[str, Any]
) -> None:
    assert add(sam, key().but(**wrong)) == 400
    assert portal.rows(StaffPasskey) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://portal.example.test"},
        {"origin": "https://portal.example.test.evil.example:8443"},
        {"host": "evil.example"},
        {"is_unlocked": False},
        {"counter": 5},
        {"counter": 0},
        {"user": b"somebody else's!"},
        {"credential_id": b"credential-2"},
    ],
)
def test_an_answer_that_is_wrong_in_one_thing_opens_nothing(
    portal: Portal, sam: Newcomer, wrong: dict[str, Any]
) -> None:
    blue = key().but(counter=5)
    add(sam, blue)
    elsewhere = portal.browser()
    assert sign_in(elsewhere, blue.but(counter=6).but(**wrong)) == 400
    assert elsewhere.get("/admin").status_code == 303
    assert portal.acts()[-1] == "staff-sign-in-failed"
    assert sign_in(elsewhere, blue.but(counter=6)) == 303


def test_another_key_under_the_same_name_opens_nothing(portal: Portal, sam: Newcomer) -> None:
    add(sam, key())
    forged = key().but(user=b"", counter=9)
    assert sign_in(portal.browser(), forged) == 400


def test_an_answer_counts_once(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    elsewhere = portal.browser()
    asked = options(elsewhere, "/admin/sign-in/passkey/options", "/admin/sign-in")
    answer = blue.but(counter=2).show(asked)
    wrong = blue.but(counter=2, origin="https://evil.example").show(asked)
    assert elsewhere.post("/admin/sign-in/passkey", {"answer": wrong}).status_code == 400
    # The challenge went with the first answer, wrong as that was.
    assert elsewhere.post("/admin/sign-in/passkey", {"answer": answer}).status_code == 400


def test_an_answer_to_another_browsers_challenge_opens_nothing(
    portal: Portal, sam: Newcomer
) -> None:
    blue = key()
    add(sam, blue)
    one, other = portal.browser(), portal.browser()
    asked = options(one, "/admin/sign-in/passkey/options", "/admin/sign-in")
    options(other, "/admin/sign-in/passkey/options", "/admin/sign-in")
    answer = blue.but(counter=2).show(asked)
    assert other.post("/admin/sign-in/passkey", {"answer": answer}).status_code == 400


@pytest.mark.parametrize("answer", ["", "{", "[]", "{}", '{"rawId": 1}', "[" * 9000, "x" * 20_000])
def test_nonsense_opens_nothing(portal: Portal, sam: Newcomer, answer: str) -> None:
    elsewhere = portal.browser()
    options(elsewhere, "/admin/sign-in/passkey/options", "/admin/sign-in")
    assert elsewhere.post("/admin/sign-in/passkey", {"answer": answer}).status_code == 400


def test_somebody_elses_passkey_is_no_second_step(portal: Portal, sam: Newcomer) -> None:
    eve = Newcomer(portal, portal.browser(), login="eve", name="Eve")
    eve.join(first_link(portal, "a second owner"))
    red = key().but(credential_id=b"red")
    add(eve, red)
    elsewhere = portal.browser()
    sam.give_password(elsewhere)
    assert sign_in(elsewhere, red.but(counter=2), "/admin/sign-in/second") == 400
    assert elsewhere.get("/admin").status_code == 303


def test_a_passkey_is_removed_while_something_else_is_left(portal: Portal, sam: Newcomer) -> None:
    blue = key()
    add(sam, blue)
    [row] = portal.rows(StaffPasskey)
    sam.browser.get(f"/admin/profile/passkeys/{row.id}/remove")
    sam.browser.post(f"/admin/profile/passkeys/{row.id}/remove")
    assert portal.rows(StaffPasskey) == []
    assert sign_in(portal.browser(), blue.but(counter=2)) == 400
    assert portal.acts().count("staff-factor-removed") == 1


def test_a_foreign_passkey_is_a_missing_one(portal: Portal, sam: Newcomer) -> None:
    eve = Newcomer(portal, portal.browser(), login="eve", name="Eve")
    eve.join(first_link(portal, "a second owner"))
    add(eve, key().but(credential_id=b"red"))
    add(sam, key())
    foreign = next(row for row in portal.rows(StaffPasskey) if row.credential_id == b"red")
    path = f"/admin/profile/passkeys/{foreign.id}/remove"
    assert sam.browser.get(path).status_code == 404
    sam.browser.get("/admin/profile")
    assert sam.browser.post(path).status_code == 404
    assert len(portal.rows(StaffPasskey)) == 2
