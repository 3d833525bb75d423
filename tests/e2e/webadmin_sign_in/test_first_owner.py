"""The first owner comes in, and comes back: a real browser, every page looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from app.accounts.sessions import Client
from app.models import StaffPasskey, StaffRole, StaffStage
from app.staff import links, sessions
from app.webadmin.gate import COOKIE
from tests.app.webadmin.desk import hire
from tests.e2e.pages.serving import Served, serving
from tests.e2e.webadmin_sign_in.house import PASSWORD, Way, plug_in_authenticator

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path, authority: trustme.CA) -> Iterator[Served]:
    """A portal that nobody works in yet."""
    with serving(tmp_path, authority) as found:
        yield found


def opened(context: BrowserContext) -> Page:
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_by_a_link_with_an_app_and_back_again(
    browser: Browser, house: Served, width: int, scheme: str
) -> None:
    errors: list[str] = []
    size = {"width": width, "height": 900}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]  # one of its literals
        way = Way(opened(context), house)
        way.page.on("pageerror", lambda error: errors.append(str(error)))
        way.open_first_link()
        way.say_who()
        way.take_app()
        way.keep_codes()
        assert len(way.codes) == 10
        way.sign_out()
        way.wait_for_next_code()
        way.give_password()
        way.look("code")
        way.page.get_by_label("Code").fill("000000")
        way.page.get_by_role("button", name="Sign in").click()
        assert way.page.get_by_role("alert").is_visible()
        way.look("wrong code")
        way.page.get_by_label("Code").fill(way.code())
        way.page.get_by_role("button", name="Sign in").click()
        way.page.get_by_role("heading", name="Overview").wait_for()
        way.page.goto(f"{house.origin}/admin/profile")
        way.look("profile")
        look_at_the_rest(way)
    assert errors == []
    assert way.found == {}


def look_at_the_rest(way: Way) -> None:
    """Open every page that hangs on the profile, on staff and on groups."""
    page, origin = way.page, way.served.origin
    for path in ("profile/password", "profile/passkeys/add", "profile/recovery-codes", "staff"):
        page.goto(f"{origin}/admin/{path}")
        way.look(path)
    page.get_by_role("link", name="Sam").last.click()
    way.look("member who is me")
    page.goto(f"{origin}/admin/groups")
    way.look("no groups")
    page.get_by_label("Name").fill("North")
    page.get_by_role("button", name="Make a group").click()
    way.look("groups")
    page.get_by_role("link", name="North").click()
    way.look("group")
    page.get_by_role("link", name="Remove this group").click()
    way.look("remove group")
    page.goto(f"{origin}/admin/staff/invite")
    page.get_by_role("button", name="Invite", exact=True).click()
    way.look("invite with errors")
    page.get_by_label("Name").fill("Olu")
    page.get_by_label("Login").fill("olu")
    page.get_by_label("Customer care").check()
    page.get_by_label("Everyone").check()
    way.look("invite")
    page.get_by_role("button", name="Invite", exact=True).click()
    assert "/admin/welcome#" in page.locator(".secret code").inner_text()
    way.look("link")
    page.get_by_role("link", name="Done").click()
    way.look("member")
    for link in ("Change role or reach", "Change name or address", "New link", "Disable"):
        page.get_by_role("link", name=link).click()
        way.look(link)
        page.go_back()


def test_a_passkey_takes_the_place_of_password_and_code(browser: Browser, house: Served) -> None:
    with browser.new_context() as context:
        way = Way(opened(context), house)
        plug_in_authenticator(way.page)
        way.open_first_link()
        way.say_who()
        way.page.get_by_label("Name of this passkey").fill("blue key")
        way.page.get_by_role("button", name="Make a passkey").click()
        way.page.get_by_role("heading", name="Recovery codes").wait_for()
        way.keep_codes()
        way.sign_out()
        way.look("sign in with a passkey")
        way.page.get_by_role("button", name="Sign in with a passkey").click()
        way.page.get_by_role("heading", name="Overview").wait_for()
        way.sign_out()
        way.give_password()
        way.look("second step with a passkey")
        way.page.get_by_role("button", name="Use a passkey").click()
        way.page.get_by_role("heading", name="Overview").wait_for()
        house.seeded.service.clock.advance(11 * 60_000_000)
        way.page.goto(f"{house.origin}/admin/profile/password")
        way.look("is it still you")
        way.page.get_by_role("button", name="Use a passkey").click()
        way.page.get_by_role("heading", name="Change the password").wait_for()
    with house.seeded.service.database.read() as session:
        [kept] = session.scalars(select(StaffPasskey)).all()
    assert (kept.name, kept.sign_count > 1) == ("blue key", True)
    assert way.found == {}


def test_who_has_no_passkey_here_is_told_so(browser: Browser, house: Served) -> None:
    with browser.new_context() as context:
        page = opened(context)
        plug_in_authenticator(page)
        page.goto(f"{house.origin}/admin/sign-in")
        page.get_by_role("button", name="Sign in with a passkey").click()
        page.get_by_text("No passkey was used.").wait_for()


def test_everything_but_passkeys_works_without_scripts(browser: Browser, house: Served) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        way = Way(opened(context), house)
        service = house.seeded.service
        with service.database.write() as session:
            token = links.make_first(
                session, reason=None, now=service.clock.now(), entropy=service.entropy
            )
        way.page.goto(links.address_of(house.origin, token))
        way.page.get_by_label("The part of the link after #").fill(token)
        way.page.get_by_role("button", name="Begin").click()
        way.page.get_by_label("Name").fill("Sam")
        way.page.get_by_label("Login").fill("sam")
        way.page.get_by_label("New password").fill(PASSWORD)
        way.page.get_by_label("The same once more").fill(PASSWORD)
        way.page.get_by_role("button", name="Continue").click()
        way.page.get_by_text("The app cannot read the picture").click()
        way.secret = way.page.locator(".copyable code").inner_text().replace(" ", "")
        assert not way.page.get_by_role("button", name="Make a passkey").is_visible()
        way.page.get_by_label("Code").fill(way.code())
        way.page.get_by_role("button", name="Use this app").click()
        way.page.get_by_role("button", name="Show my recovery codes").click()
        way.page.get_by_role("button", name="I have kept them").click()
        way.page.get_by_role("heading", name="Overview").wait_for()


def test_a_link_on_another_site_leads_in_without_signing_in_again(
    browser: Browser, house: Served
) -> None:
    seeded, elsewhere = house.seeded, "https://elsewhere.example/"
    staff_id = hire(seeded.app, StaffRole.AUDITOR)
    with seeded.service.database.write() as session:
        token, _ = sessions.start(
            session,
            Client("127.0.0.1", "Chromium"),
            staff_id=staff_id,
            stage=StaffStage.FULL,
            now=seeded.service.clock.now(),
            entropy=seeded.service.entropy,
        )
    with browser.new_context() as context:
        context.add_cookies(
            [
                {
                    "name": COOKIE,
                    "value": token,
                    "url": house.origin,
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )
        link = f'<a href="{house.origin}/admin/staff">staff</a>'
        context.route(elsewhere, lambda route: route.fulfill(body=link, content_type="text/html"))
        page = opened(context)
        page.goto(elsewhere)
        page.get_by_role("link", name="staff").click()
        page.get_by_role("heading", name="Staff", exact=True).wait_for()
        assert page.url == f"{house.origin}/admin/staff"
