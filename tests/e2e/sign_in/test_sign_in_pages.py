"""Signing in with a browser: the keyboard is enough, scripts are not needed, nothing is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from app.accounts.mail_checks import Step
from app.extensions import of
from app.models import MailCheck
from tests.app.portal_fixtures import BOB, PASSWORDS
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser

# A check by a real mail server takes a second or so; a page less than a tenth of one.
RELOADS = 300
# A machine that runs everything at once may take its time.
expect.set_options(timeout=15_000)


@contextmanager
def visiting(browser: Browser, served: Served, **options: Any) -> Iterator[Page]:
    """Open the first page in a new browser; an error of a script fails the test."""
    errors: list[str] = []
    with browser.new_context(**options) as context:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{served.origin}/")
        yield page
    assert errors == []


def enter(page: Page, label: str, text: str) -> None:
    """Fill in the field that is asked for and press Enter."""
    page.get_by_label(label).fill(text)
    page.keyboard.press("Enter")


def hold(served: Served, step: Step) -> None:
    """Let every check look as if it were at this step."""
    with of(served.seeded.app).database.write() as session:
        session.execute(update(MailCheck).values(stage=step, outcome=None))


def test_ann_signs_in_with_the_keyboard_alone(browser: Browser, served: Served) -> None:
    with visiting(browser, served) as page:
        expect(page.get_by_label("Your mail address")).to_be_focused()
        page.keyboard.type(BOB)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Password of your mail account")).to_be_focused()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Password of your mail account")).to_be_focused()
        page.keyboard.type(PASSWORDS[BOB])
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{served.origin}/")
        expect(page.get_by_text(BOB).first).to_be_visible()


def test_signing_in_needs_no_script(browser: Browser, served: Served) -> None:
    with visiting(browser, served, java_script_enabled=False) as page:
        enter(page, "Your mail address", BOB)
        enter(page, "Password of your mail account", PASSWORDS[BOB])
        page.wait_for_url("**/sign-in/*")
        reload, go_on = page.get_by_text("Reload to see"), page.get_by_text("said yes").last
        expect(reload.or_(go_on)).to_be_visible()
        for _attempt in range(RELOADS):
            if go_on.is_visible():
                break
            page.goto(page.url)
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{served.origin}/")


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (1280, "dark")])
def test_no_state_has_an_accessibility_finding_or_scrolls_sideways(
    browser: Browser, served: Served, width: int, scheme: str
) -> None:
    found: dict[str, object] = {}
    axe = Axe()

    def look(page: Page, name: str) -> None:
        results = axe.run(page)
        found.update({f"{name}: {one['id']}": one for one in results.response["violations"]})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found[f"{name}: wider than {width} px"] = page.url

    size = {"width": width, "height": 700}
    with visiting(browser, served, viewport=size, color_scheme=scheme) as page:
        look(page, "sign in")
        enter(page, "Your mail address", "not an address")
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, "no address")
        for address, name, heading in (
            ("someone@gmail.com", "app password", "Enter your app password"),
            ("someone@outlook.com", "provider sign-in", "This account cannot be used yet"),
            (BOB, "password", "Enter your password"),
        ):
            page.goto(f"{served.origin}/sign-in")
            enter(page, "Your mail address", address)
            expect(page.get_by_role("heading", level=1)).to_have_text(heading)
            look(page, name)
        enter(page, "Password of your mail account", "wrong")
        expect(page.get_by_role("alert")).to_be_visible()
        look(page, "wrong password")
        hold(served, Step.CONNECTING)
        page.goto(page.url)
        look(page, "under way")
        page.goto(f"{served.origin}/nowhere")
        look(page, "no such page")
    assert found == {}


def test_titles_name_the_page_and_whether_something_is_wrong(
    browser: Browser, served: Served
) -> None:
    with visiting(browser, served) as page:
        expect(page).to_have_title("Sign in · Handfast")
        enter(page, "Your mail address", "not an address")
        expect(page).to_have_title("Error: Sign in · Handfast")
