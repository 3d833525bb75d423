"""Olu's way with the keyboard alone: search, open the person, revoke a device, find it again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import look
from tests.e2e.pages.test_pages_access import tab_to
from tests.e2e.webadmin.serving import Office

pytestmark = pytest.mark.browser

WHY = "lost it in the train"


@pytest.fixture
def olu(browser: Browser, workplace: Office) -> Iterator[Page]:
    """Customer care's desk, with a browser whose mouse nobody touches."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        workplace.sit_down(context, workplace.lived.olu)
        opened = context.new_page()
        opened.set_default_timeout(10_000)
        yield opened


def focused(page: Page) -> str:
    """Return the name of what has the focus."""
    text: str = page.evaluate("document.activeElement.textContent.trim()")
    return text


def outline(page: Page) -> str:
    """Return how the browser frames what has the focus."""
    style: str = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    return style


def test_a_device_is_revoked_without_a_mouse(olu: Page, workplace: Office) -> None:
    olu.goto(f"{workplace.origin}/admin/people")
    olu.keyboard.press("/")
    expect(olu.get_by_role("searchbox", name="Search people")).to_be_focused()
    olu.keyboard.type("ann exam")
    olu.keyboard.press("Enter")
    expect(olu.get_by_role("status").filter(has_text="1 person")).to_be_visible()
    olu.keyboard.press("j")
    assert focused(olu) == "ann@example.org"
    assert outline(olu) != "none"
    olu.keyboard.press("Enter")
    expect(olu.get_by_role("heading", level=1)).to_have_text("ann@example.org")

    tab_to(olu, "Ann's laptop")
    assert outline(olu) != "none"
    olu.keyboard.press("Enter")
    expect(olu.get_by_role("heading", level=1)).to_have_text("Ann's laptop")
    tab_to(olu, "Revoke")
    olu.keyboard.press("Enter")
    expect(olu.get_by_role("heading", level=1)).to_have_text("Revoke Ann's laptop?")
    expect(olu.get_by_text("is told by mail, with your name and the reason")).to_be_visible()

    # Without a reason nothing happens, and the focus is where the problem is told.
    tab_to(olu, "Revoke the device")
    olu.keyboard.press("Enter")
    expect(olu.locator("#error-summary")).to_be_focused()
    assert look(olu, "a reason is missing") == {}
    tab_to(olu, "Say why.")
    olu.keyboard.press("Enter")
    expect(olu.get_by_label("Reason")).to_be_focused()
    olu.keyboard.type(WHY)
    olu.keyboard.press("Enter")
    expect(olu.locator("#messages")).to_contain_text("Ann's laptop was revoked.")
    expect(olu.get_by_text(WHY).first).to_be_visible()

    tab_to(olu, "ann@example.org")
    olu.keyboard.press("Enter")
    expect(olu.locator(".timeline")).to_contain_text("Device revoked")
    expect(olu.locator(".timeline")).to_contain_text(WHY)


def test_the_keys_of_lists_can_be_turned_off_and_mind_their_own_business(
    olu: Page, workplace: Office
) -> None:
    olu.goto(f"{workplace.origin}/admin/devices")
    search = olu.get_by_role("searchbox", name="Search devices")
    # In a field they are letters.
    search.focus()
    olu.keyboard.type("j/k")
    expect(search).to_have_value("j/k")
    olu.goto(f"{workplace.origin}/admin/devices")
    olu.keyboard.press("j")
    first = focused(olu)
    olu.keyboard.press("j")
    assert focused(olu) != first
    olu.keyboard.press("k")
    assert focused(olu) == first
    tab_to(olu, "Turn these keys off")
    olu.keyboard.press("Enter")
    olu.goto(f"{workplace.origin}/admin/people")
    olu.keyboard.press("/")
    expect(olu.get_by_role("searchbox", name="Search people")).not_to_be_focused()
    expect(olu.get_by_role("button", name="Turn these keys on")).to_be_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_lists_work_without_scripts(browser: Browser, workplace: Office, width: int) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=False
    ) as context:
        workplace.sit_down(context, workplace.lived.olu)
        page = context.new_page()
        page.goto(f"{workplace.origin}/admin/people")
        page.get_by_label("Search people").fill("bob")
        page.get_by_role("button", name="Search").click()
        expect(page).to_have_url(re.compile(r"/admin/people\?q=bob&"))
        page.get_by_role("link", name="bob@example.org").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("bob@example.org")
