"""Signing in to WebAdmin: a password, then a second factor, each guess counted."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text, update

from app.clock import MINUTE
from app.models import RecoveryCode, Staff, StaffSession, StaffState
from app.staff.passwords import BusyError, Hasher
from app.staff.sessions import SIGN_IN
from app.webadmin.here import NAME as HASHER
from tests.app.portal_fixtures import Browser, Portal
from tests.app.webadmin.newcomer import PASSWORD, Newcomer, first_owner

COOKIE = "__Host-handfast-admin"
TABLE_DUMP = text("SELECT actor, act, target, record, detail FROM audit")


@pytest.fixture
def sam(portal: Portal) -> Newcomer:
    """Sam, who has set everything up and signed out."""
    sam = first_owner(portal)
    sam.browser.get("/admin")
    sam.browser.post("/admin/sign-out")
    return sam


def test_a_password_and_a_code_open_webadmin(portal: Portal, sam: Newcomer) -> None:
    assert sam.give_password().headers["Location"] == "/admin/sign-in/second"
    assert sam.browser.get("/admin").status_code == 303
    assert sam.give_code(sam.code()).headers["Location"] == "/admin"
    assert sam.browser.get("/admin").status_code == 200
    assert portal.acts()[-1] == "staff-signed-in"


def test_every_step_has_a_token_of_its_own(sam: Newcomer) -> None:
    tokens = [cookie(sam.browser)]
    sam.give_password()
    tokens.append(cookie(sam.browser))
    sam.give_code(sam.code())
    tokens.append(cookie(sam.browser))
    assert len(set(tokens)) == 3
    # Who kept the one from before the second factor has nothing.
    sam.browser.client.set_cookie(COOKIE, tokens[1] or "", domain=DOMAIN, secure=True)
    assert sam.browser.get("/admin").status_code == 303


DOMAIN = "portal.example.test"


def cookie(browser: Browser) -> str | None:
    found = browser.client.get_cookie(COOKIE, domain=DOMAIN)
    return None if found is None else found.value


def test_the_cookie_is_for_this_host_and_these_pages_only(sam: Newcomer) -> None:
    answer = sam.give_password()
    [header] = answer.headers.getlist("Set-Cookie")
    assert header.startswith(f"{COOKIE}=")
    for flag in ("Secure", "HttpOnly", "Path=/", "SameSite=Strict"):
        assert flag in header
    assert "Domain" not in header


def test_a_code_works_once(portal: Portal, sam: Newcomer) -> None:
    code = sam.code()
    sam.give_password()
    assert sam.give_code(code).status_code == 303
    other = portal.browser()
    sam.give_password(other)
    assert sam.give_code(code, other).status_code == 400
    # Nor does an older one that the tolerance would let through.
    assert sam.give_code(sam.code(steps=-1), other).status_code == 400
    assert sam.give_code(sam.next_code(), other).status_code == 303


@pytest.mark.parametrize(("steps", "status"), [(-2, 400), (1, 303), (2, 400)])
def test_a_telephones_clock_may_be_half_a_minute_off(
    sam: Newcomer, steps: int, status: int
) -> None:
    sam.give_password()
    assert sam.give_code(sam.code(steps=steps)).status_code == status


def test_a_recovery_code_stands_in_once(portal: Portal, sam: Newcomer) -> None:
    sam.give_password()
    assert sam.give_code(sam.codes[3].upper().replace("-", " ")).status_code == 303
    sam.browser.get("/admin")
    assert "You have 9 left" in sam.browser.text()
    other = portal.browser()
    sam.give_password(other)
    assert sam.give_code(sam.codes[3], other).status_code == 400
    assert "staff-recovery-code-used" in portal.acts()


def test_of_the_codes_no_text_is_kept(portal: Portal, sam: Newcomer) -> None:
    kept = b"".join(row.code_hash for row in portal.rows(RecoveryCode))
    for code in sam.codes:
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept
    assert {len(row.code_hash) for row in portal.rows(RecoveryCode)} == {32}


def wrong_password(sam: Newcomer) -> dict[str, str]:
    return {"password": "another tractor onion harbour"}


def unknown_login(sam: Newcomer) -> dict[str, str]:
    return {"login": "somebody"}


def disabled(sam: Newcomer) -> dict[str, str]:
    with sam.portal.database.write() as session:
        session.execute(update(Staff).values(state=StaffState.DISABLED))
    return {}


def invited(sam: Newcomer) -> dict[str, str]:
    with sam.portal.database.write() as session:
        session.execute(update(Staff).values(state=StaffState.INVITED, password_hash=None))
    return {}


@pytest.mark.parametrize("how", [wrong_password, unknown_login, disabled, invited])
def test_whatever_is_wrong_the_answer_is_the_same(
    sam: Newcomer, how: Callable[[Newcomer], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = []
    matches = Hasher.matches

    def counted(self: Hasher, kept: str | None, untrusted: str) -> bool:
        checks.append(kept)
        return matches(self, kept, untrusted)

    monkeypatch.setattr(Hasher, "matches", counted)
    more = how(sam)
    answer = sam.give_password(None, **more)
    assert answer.status_code == 400
    body = sam.browser.text()
    assert "Login and password do not fit together." in body
    # The same work was done, so it took as long.
    assert len(checks) == 1
    typed = more.get("login", "sam")
    sam.browser.get("/admin/sign-in")
    assert body.replace(f'value="{typed}"', "").count("error") > 0


def test_who_does_not_exist_is_checked_as_long_as_who_does() -> None:
    hasher = Hasher(places=1)
    kept = hasher.hash(PASSWORD)

    def fastest(of: str | None) -> float:
        spans = []
        for _ in range(5):
            began = time.perf_counter()
            assert not hasher.matches(of, "another")
            spans.append(time.perf_counter() - began)
        return min(spans)

    assert 0.4 < fastest(None) / fastest(kept) < 2.5


def test_what_was_typed_as_a_login_is_not_kept(portal: Portal, sam: Newcomer) -> None:
    sam.give_password(login="my-password-by-mistake")
    with portal.database.read() as session:
        assert "my-password" not in str(list(session.execute(TABLE_DUMP)))


def test_guesses_are_counted_and_do_not_lock_the_owner_out(portal: Portal, sam: Newcomer) -> None:
    mallory = portal.browser("198.51.100.3")
    for _ in range(10):
        assert sam.give_password(mallory, password="guess after guess").status_code == 400
    answer = sam.give_password(mallory, password="guess after guess")
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (429, True)
    # Not even the right one is looked at from there, and Sam's own address has no part in it.
    assert sam.give_password(mallory).status_code == 429
    assert sam.give_password().status_code == 303


def test_an_owner_whom_everybody_guesses_at_still_comes_in(portal: Portal, sam: Newcomer) -> None:
    sam.sign_in()
    for number in range(5):
        mallory = portal.browser(f"198.51.100.{number}")
        for _ in range(10):
            sam.give_password(mallory, password="guess after guess")
    assert sam.give_password(portal.browser("198.51.100.99")).status_code == 429
    assert sam.give_password(portal.browser()).status_code == 303


def test_codes_cannot_be_guessed_either(portal: Portal, sam: Newcomer) -> None:
    sam.give_password()
    answers = [sam.give_code("123456").status_code for _ in range(11)]
    assert answers == [400] * 10 + [429]
    portal.clock.advance(16 * MINUTE)
    sam.give_password()
    assert sam.give_code(sam.code()).status_code == 303


def test_a_sign_in_has_its_time(portal: Portal, sam: Newcomer) -> None:
    sam.give_password()
    portal.clock.advance(SIGN_IN)
    assert sam.browser.get("/admin/sign-in/second").headers["Location"] == "/admin/sign-in"


def test_a_password_hashed_in_an_older_way_is_hashed_anew(portal: Portal, sam: Newcomer) -> None:
    portal.app.extensions[HASHER] = Hasher()
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    with portal.database.write() as session:
        session.execute(update(Staff).values(password_hash=old))
    assert sam.give_password().status_code == 303
    renewed = portal.rows(Staff)[0].password_hash or ""
    assert renewed.startswith("$argon2id$v=19$m=32768,t=3,p=1$")
    assert sam.give_password().status_code == 303


def test_while_all_places_are_taken_the_answer_is_503(
    sam: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: Hasher, kept: str | None, untrusted: str) -> bool:
        raise BusyError

    monkeypatch.setattr(Hasher, "matches", busy)
    answer = sam.give_password()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/admin?from=mail", "/admin?from=mail"),
        ("https://evil.example/", "/admin"),
        ("//evil.example/admin", "/admin"),
        ("/admin/../devices", "/admin"),
        ("/devices", "/admin"),
        ("/admin/sign-out", "/admin"),
        ("/admin/sign-in", "/admin"),
        ("/admin/nowhere", "/admin"),
        ("/admin\\@evil.example", "/admin"),
        ("/admin/profile#javascript:alert(1)", "/admin"),
        ("javascript:alert(1)", "/admin"),
    ],
)
def test_a_sign_in_leads_to_own_pages_only(sam: Newcomer, wanted: str, leads_to: str) -> None:
    sam.give_password(next=wanted)
    assert sam.give_code(sam.code()).headers["Location"] == leads_to


def test_what_waits_for_a_second_factor_opens_no_page_of_it(portal: Portal) -> None:
    mallory = portal.browser()
    assert mallory.get("/admin/sign-in/second").headers["Location"] == "/admin/sign-in"
    assert mallory.get("/admin/welcome/codes").headers["Location"] == "/admin/sign-in"
    assert portal.rows(StaffSession) == []
