"""Sessions: on the server, new at sign-in, dead after sign-out, ended by time."""

from __future__ import annotations

from app.clock import HOUR
from app.models import WebSession
from tests.app.portal_fixtures import ANN, ISSUER, Browser, Portal

PERSONAL = "/accounts/add"


def is_signed_in(browser: Browser) -> bool:
    return browser.get(PERSONAL).status_code == 200


def with_cookie(portal: Portal, value: str | None) -> Browser:
    """A second browser with a copied cookie."""
    browser = portal.browser()
    browser.client.set_cookie(
        "__Host-handfast", value or "", domain="portal.example.test", secure=True
    )
    return browser


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(portal: Portal) -> None:
    answer = portal.browser().sign_in(ANN)
    name, _, rest = answer.headers["Set-Cookie"].partition("=")
    attributes = {part.strip() for part in rest.split(";")[1:]}
    assert name == "__Host-handfast"
    assert attributes == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_the_database_cannot_open_a_session(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    token = ann.cookie()
    assert token is not None
    kept = b"".join(file.read_bytes() for file in portal.config.state_dir.glob("handfast.sqlite3*"))
    assert token.encode() not in kept


def test_looking_makes_no_session(portal: Portal) -> None:
    browser = portal.browser()
    for path in ("/sign-in", "/", "/nowhere", "/healthz"):
        browser.get(path)
    assert portal.rows(WebSession) == []


def test_sign_in_gives_a_new_token_and_a_new_form_token(portal: Portal) -> None:
    ann = portal.browser()
    ann.get("/sign-in")
    cookie, form = ann.cookie(), ann.token()
    ann.sign_in(ANN)
    ann.get(PERSONAL)
    assert ann.cookie() != cookie
    assert ann.token() != form


def test_a_planted_cookie_is_worth_nothing_after_sign_in(portal: Portal) -> None:
    planted = "A" * 43
    ann = with_cookie(portal, planted)
    ann.sign_in(ANN)
    assert is_signed_in(ann)
    assert not is_signed_in(with_cookie(portal, planted))


def test_a_copied_cookie_is_dead_after_sign_out(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    thief = with_cookie(portal, ann.cookie())
    assert is_signed_in(thief)
    ann.get(PERSONAL)
    assert ann.post("/sign-out").headers["Location"] == "/sign-in"
    assert not is_signed_in(ann)
    assert not is_signed_in(thief)
    assert portal.acts()[-1] == "signed-out"


def test_a_session_ends_when_it_is_not_used(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    portal.clock.advance(HOUR - 1)
    assert is_signed_in(ann)
    portal.clock.advance(HOUR - 1)
    assert is_signed_in(ann)
    portal.clock.advance(HOUR)
    assert not is_signed_in(ann)


def test_a_session_ends_at_last_however_much_it_is_used(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    for _ in range(23):
        portal.clock.advance(HOUR // 2)
        assert is_signed_in(ann)
    portal.clock.advance(HOUR // 2)
    assert not is_signed_in(ann)


def test_an_ended_token_never_opens_a_session_again(portal: Portal) -> None:
    ann = portal.browser()
    ann.sign_in(ANN)
    old = ann.cookie()
    portal.clock.advance(HOUR)
    again = with_cookie(portal, old)
    again.sign_in(ANN)
    assert again.cookie() != old


def test_a_session_can_be_ended_from_another_browser(portal: Portal) -> None:
    ann, phone = portal.browser(), portal.browser("198.51.100.7")
    ann.sign_in(ANN)
    phone.sign_in(ANN)
    lost = next(
        row for row in portal.rows(WebSession) if row.address == "198.51.100.7" if row.person_id
    )
    ann.get(f"/sessions/{lost.id}/end")
    ann.post(f"/sessions/{lost.id}/end")
    assert is_signed_in(ann)
    assert not is_signed_in(phone)


def test_other_frameworks_cookies_mean_nothing(portal: Portal) -> None:
    browser = portal.browser()
    for name in ("remember_token", "session"):
        browser.client.set_cookie(name, "1|2", domain="portal.example.test")
    assert browser.get("/sign-in").status_code == 200
    assert not is_signed_in(browser)
    cookies = browser.client.get("/sign-in", base_url=ISSUER).headers.getlist("Set-Cookie")
    assert all(cookie.startswith("__Host-handfast=") for cookie in cookies)
