"""The page of the API: everything opened, on a narrow screen and in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser


def opened(page: Page, served: Served) -> Page:
    """Open the page and all that it folds away."""
    page.goto(f"{served.origin}/api")
    for summary in page.locator("main summary").all():
        summary.click()
    return page


def test_the_page_is_well_built_with_everything_open(page: Page, served: Served) -> None:
    assert look(opened(page, served), "api") == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_well_built_for_whoever_is_not_signed_in(
    browser: Browser, served: Served, scheme: str
) -> None:
    with browser.new_context(
        viewport={"width": 320, "height": 700},
        color_scheme="dark" if scheme == "dark" else "light",
    ) as context:
        assert look(opened(context.new_page(), served), f"api {scheme}") == {}
