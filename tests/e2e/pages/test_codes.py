"""A person shows herself a code: with and without scripts, on a telephone and in the dark."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from protocol.codes import read_code
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser
BUTTON = "Show a code to type on a device"


def shown(page: Page) -> str:
    """Return the code on the page, which is one."""
    text = page.locator(".spoken").inner_text()
    assert read_code(text)
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (320, "light")])
def test_a_code_is_shown_once(
    browser: Browser, served: Served, width: int, scheme: Literal["dark", "light"]
) -> None:
    errors: list[str] = []
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        served.sign_in(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(served.origin)
        page.get_by_role("button", name=BUTTON).first.click()
        first = shown(page)
        assert look(page, "a code") == {}
        # Words for each symbol, to read it out.
        expect(page.locator(".spelling b")).to_have_count(12)
        page.go_back()
        page.get_by_role("button", name=BUTTON).first.click()
        assert shown(page) != first
        page.get_by_role("link", name="End this code").click()
        page.get_by_role("button", name="End this activation").click()
        expect(page.get_by_text("It was ended.")).to_be_visible()
        assert look(page, "a code that was ended") == {}
        assert first not in page.content()
    assert errors == []


def test_it_works_without_script(browser: Browser, served: Served) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        served.sign_in(context)
        page = context.new_page()
        page.goto(served.origin)
        page.get_by_role("button", name=BUTTON).first.click()
        assert shown(page)
        with context.expect_page() as opened:
            page.get_by_role("link", name="See on a page of its own how it stands").click()
        expect(opened.value.get_by_text("Waiting for somebody to type it.")).to_be_visible()
        expect(opened.value.locator(".spoken")).to_have_count(0)


def test_the_keyboard_is_enough(page: Page, served: Served) -> None:
    page.goto(served.origin)
    page.locator("main").focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == BUTTON:
            break
    page.keyboard.press("Enter")
    assert shown(page)
