"""The end of a session is said before it comes, and one press puts it off."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from app.clock import MINUTE
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served
from tests.e2e.pages.test_pages_access import tab_to

pytestmark = pytest.mark.browser

WARNING = "You will be signed out soon."


def wait_for_the_warning(page: Page) -> None:
    page.clock.fast_forward("56:00")
    expect(page.get_by_role("alert")).to_contain_text(WARNING)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_session_is_renewed_with_the_keyboard_and_the_page_stays(
    page: Page, served: Served, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 700})
    page.clock.install()
    page.goto(f"{served.origin}/accounts/add")
    expect(page.get_by_text(WARNING)).to_be_hidden()
    page.get_by_role("textbox").fill("half@an.address")
    wait_for_the_warning(page)
    assert look(page, "warned") == {}
    page.locator("main").focus()
    tab_to(page, "Stay signed in")
    page.keyboard.press("Enter")
    stays = page.get_by_role("status").get_by_text("You stay signed in.")
    expect(stays).to_be_visible()
    expect(page.get_by_role("status").locator(".notice")).to_be_focused()
    expect(page.get_by_text(WARNING)).to_be_hidden()
    expect(page.get_by_role("textbox")).to_have_value("half@an.address")
    assert look(page, "renewed") == {}
    # And it is said again before the next end.
    wait_for_the_warning(page)


def test_a_service_that_does_not_answer_is_told_and_the_warning_stays(
    page: Page, served: Served
) -> None:
    page.clock.install()
    page.goto(served.origin)
    wait_for_the_warning(page)
    page.route("**/sessions/renew", lambda route: route.abort())
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_text("This service does not answer. Please try again.")).to_be_visible()
    expect(page.get_by_text(WARNING)).to_be_visible()


def test_who_comes_too_late_is_led_to_the_sign_in(page: Page, served: Served) -> None:
    page.clock.install()
    page.goto(served.origin)
    wait_for_the_warning(page)
    page.context.clear_cookies()
    page.get_by_role("button", name="Stay signed in").click()
    expect(page.get_by_role("heading", name="Sign in with your mail account")).to_be_visible()


def test_without_script_a_link_on_every_page_does_the_same(
    browser: Browser, served: Served
) -> None:
    clock = served.seeded.service.clock
    with browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 700}
    ) as context:
        served.sign_in(context)
        page = context.new_page()
        page.goto(f"{served.origin}/history?before=1000")
        for _ in range(2):
            clock.advance(50 * MINUTE)
            page.get_by_role("link", name="Stay signed in").click()
            expect(page.get_by_role("heading", name="History")).to_be_visible()
            assert page.url.endswith("/history?before=1000")
