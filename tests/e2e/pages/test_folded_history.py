"""Rotations in a row are one line of the history; the keyboard opens it, with or without script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.app.pages.test_rotations_in_history import lines_of, rotate
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served
from tests.e2e.pages.test_pages_access import tab_to

pytestmark = pytest.mark.browser

FOLD = "3 keys of Ann's clock were replaced."


@pytest.fixture(scope="module")
def rotated(served: Served) -> Served:
    """A device of Ann's has had its keys replaced."""
    for line in lines_of(served.seeded, "Ann's clock", "mail", "contacts", "calendar"):
        rotate(line)
    return served


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_line_is_opened_and_closed_with_the_keyboard(
    page: Page, rotated: Served, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{rotated.origin}/history")
    single = page.get_by_role("link", name="made way for a newer one")
    expect(single).to_have_count(0)
    assert look(page, "closed") == {}
    tab_to(page, page.locator("summary").text_content() or "")
    page.keyboard.press("Enter")
    expect(single).to_have_count(3)
    assert look(page, "open") == {}
    page.keyboard.press("Tab")
    expect(page.locator("details a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Key for")).to_be_visible()


@pytest.mark.parametrize("place", ["/history", "device", "/mail-accounts/account-ann"])
def test_without_script_it_opens_too(browser: Browser, rotated: Served, place: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        rotated.sign_in(context)
        page = context.new_page()
        page.goto(rotated.origin + ("/devices" if place == "device" else place))
        if place == "device":
            page.get_by_role("link", name="Ann's clock").click()
        page.locator("summary", has_text=FOLD).click()
        expect(page.get_by_role("link", name="made way for a newer one")).to_have_count(3)
