"""The whole way with the keyboard alone, on the narrowest screen."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from demo.main_job import ENDED
from tests.e2e.main_job.installation import ANN, EVERYTHING, PASSWORDS, Installation
from tests.e2e.main_job.steps import wait_until_active

pytestmark = EVERYTHING
NARROW = {"width": 320, "height": 640}
MOST_TABS = 40


def tab_to(page: Page, role: str, name: str) -> None:
    """Go on with Tab until the control of this name has the focus."""
    wanted = page.locator(":focus").and_(page.get_by_role(role, name=name))  # type: ignore[arg-type]  # any role's name
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.count():
            return
    raise AssertionError(f"Tab does not reach {name}")


def assert_fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], page.url


def test_tab_enter_and_space_are_enough_at_320_pixels(
    context: BrowserContext, page: Page, portal: Installation
) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(portal.issuer)
    expect(page.get_by_label("Your mail address")).to_be_focused()
    assert_fits(page)
    page.keyboard.type(ANN)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password of your mail account")).to_be_focused()
    assert_fits(page)
    page.keyboard.type(PASSWORDS[ANN])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()
    assert_fits(page)
    tab_to(page, "checkbox", "Calendar")
    page.keyboard.press("Space")
    tab_to(page, "button", "Activate this device")
    with context.expect_page() as opened:
        page.keyboard.press("Enter")
    consent = opened.value
    consent.set_viewport_size({"width": 320, "height": 640})
    consent.locator("#allow[aria-disabled=false]").wait_for()
    assert_fits(consent)
    tab_to(consent, "button", "Allow")
    consent.keyboard.press("Enter")
    assert set(wait_until_active(page)) == {"mail", "contacts"}
    assert_fits(page)
    expect(page.get_by_role("checkbox", name="Calendar")).not_to_be_checked()
    page.bring_to_front()
    tab_to(page, "link", "Revoke these keys")
    page.keyboard.press("Enter")
    tab_to(page, "link", "Keep them")
    assert_fits(page)
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_have_attribute("data-stage", ENDED)
    assert_fits(page)
    for name in ("Devices", "Activations", "Your account"):
        tab_to(page, "link", name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        assert_fits(page)
