"""Every page of WebAdmin: no accessibility finding, no sideways scrolling, keyboard alone."""

from __future__ import annotations

from typing import Final, Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.app.webadmin.listed import PAGES, Listed
from tests.e2e.looking import look
from tests.e2e.pages.test_pages_access import tab_to
from tests.e2e.webadmin.serving import Office

pytestmark = pytest.mark.browser

# Each width and each colour scheme once.
VIEWS: Final[dict[str, tuple[int, Literal["dark", "light"]]]] = {
    "desktop, dark": (1280, "dark"),
    "telephone, light": (320, "light"),
}
# So many pages in one test: a finding is told soon, and none takes long.
TOGETHER: Final = 12
NAMES: Final = list(PAGES)
PARTS: Final = [NAMES[start : start + TOGETHER] for start in range(0, len(NAMES), TOGETHER)]


def visit(context: BrowserContext, workplace: Office, listed: Listed) -> Page:
    """Open a page as whoever it is listed for."""
    context.clear_cookies()
    if listed.who:
        workplace.sit_down(context, getattr(workplace.lived, listed.who))
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(workplace.address(listed.path))
    return page


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("names", PARTS, ids=lambda names: names[0])
def test_no_page_has_a_finding_or_scrolls_sideways(
    browser: Browser, workplace: Office, names: list[str], view: str
) -> None:
    width, scheme = VIEWS[view]
    found: dict[str, object] = {}
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        for name in names:
            page = visit(context, workplace, PAGES[name])
            for folded in page.locator("main details > summary").all():
                folded.click()
            found |= look(page, name)
    assert found == {}


def test_the_keyboard_reaches_content_and_navigation_and_shows_where_it_is(
    desk: Page, workplace: Office
) -> None:
    desk.goto(workplace.address("/admin"))
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("link", name="Skip to the content")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.locator("main")).to_be_focused()
    tab_to(desk, "90 days")
    assert desk.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "true")
    tab_to(desk, "People")
    bar = desk.evaluate("getComputedStyle(document.querySelector('.top')).backgroundColor")
    assert desk.evaluate("getComputedStyle(document.activeElement).outlineColor") != bar
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("heading", level=1)).to_have_text("People")


def test_on_a_telephone_the_navigation_unfolds_without_a_script(
    browser: Browser, workplace: Office
) -> None:
    with browser.new_context(
        viewport={"width": 320, "height": 700}, java_script_enabled=False
    ) as context:
        page = visit(context, workplace, Listed("/admin"))
        people = page.get_by_role("banner").get_by_role("link", name="People", exact=True)
        expect(people).to_have_count(0)
        page.get_by_text("Menu", exact=True).click()
        people.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("People")


def test_a_list_is_a_table_on_every_screen(desk: Page, workplace: Office) -> None:
    desk.goto(workplace.address("/admin/devices"))
    rows = desk.get_by_role("table").get_by_role("row")
    assert rows.count() > 3
    desk.set_viewport_size({"width": 320, "height": 700})
    cells = rows.nth(1).get_by_role("cell").count() + rows.nth(1).get_by_role("rowheader").count()
    assert cells == desk.get_by_role("columnheader").count()


def test_the_table_of_a_plot_unfolds_with_the_keyboard(desk: Page, workplace: Office) -> None:
    desk.goto(workplace.address("/admin"))
    desk.locator("main").focus()
    tab_to(desk, "The same as a table")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("columnheader", name="ended without a device")).to_be_visible()
