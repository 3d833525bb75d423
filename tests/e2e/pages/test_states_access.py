"""Pages that only certain moments show: errors, and the ends of an activation."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from app.errors import PAGES
from app.errors import page as error_page
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [320, 1280])
def test_no_error_page_has_a_finding(browser: Browser, served: Served, width: int) -> None:
    app = served.seeded.app
    found: dict[str, object] = {}
    with browser.new_context(viewport={"width": width, "height": 700}) as context:
        page = context.new_page()
        for status in PAGES:
            with app.test_request_context(base_url=served.origin):
                app.preprocess_request()
                answer = error_page(status, minutes=3)
            page.goto(f"{served.origin}/sign-in")
            page.set_content(answer.get_data(as_text=True), wait_until="load")
            expect(page.get_by_text("Reference:")).to_be_visible()
            found |= look(page, f"error {status}")
    assert found == {}


def test_the_ends_of_an_activation_have_no_finding(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(served.origin)
    page.get_by_role("button", name="Activate this device").first.click()
    expect(page.get_by_role("heading", name="Waiting for your device")).to_be_visible()
    assert look(page, "to be finished on the device") == {}
    page.get_by_role("link", name="End this activation").click()
    page.get_by_role("button", name="End this activation").click()
    expect(page.get_by_role("heading", name="This activation has ended")).to_be_visible()
    assert look(page, "ended") == {}
    expect(page.get_by_role("link", name="Activate a device")).to_be_visible()


@pytest.mark.parametrize("told", ["refused", "error"])
def test_what_the_device_tells_has_no_finding(page: Page, served: Served, told: str) -> None:
    served.door.names_the_type = True
    try:
        page.goto(served.origin)
        with page.expect_download():
            page.get_by_role("button", name="Activate this device").first.click()
        expect(page.get_by_text("Your device asks whether you allow this")).to_be_visible()
        detail = {"stage": told, "message": "the device is full", "hint": "remove a key"}
        page.evaluate(
            "detail => document.dispatchEvent(new CustomEvent('handfast', {detail}))", detail
        )
        told_as = "The device is full." if told == "error" else "was refused on the device"
        expect(page.locator("#progress").get_by_text(told_as)).to_be_visible()
        assert look(page, told) == {}
    finally:
        served.door.names_the_type = False
