"""The owner's answer about a device, by keyboard, on a telephone, and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.looking import look
from tests.e2e.pages.serving import Served
from tests.e2e.pages.test_pages_access import tab_to

pytestmark = pytest.mark.browser


def use_document(served: Served, name: str) -> None:
    """Let a device use an unbound document of Ann's."""
    service = served.seeded.service
    service.activate(service.handset(name), service.issue(served.seeded.ann, "mail").document)


def test_yes_is_said_with_the_keyboard_alone(page: Page, served: Served) -> None:
    use_document(served, "Ann's desk")
    page.goto(served.origin + "/devices")
    page.locator("main").focus()
    tab_to(page, "Yes, this is my device Ann's desk")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ann's desk is confirmed as yours.")).to_be_visible()
    assert look(page, "confirmed") == {}


@pytest.mark.parametrize("answer", ["Yes, this is my device", "Not you? Revoke"])
def test_both_answers_work_on_a_telephone_without_script(
    browser: Browser, served: Served, answer: str
) -> None:
    name = f"Ann's watch {answer[:3]}"
    use_document(served, name)
    with browser.new_context(
        java_script_enabled=False, viewport={"width": 320, "height": 640}
    ) as context:
        served.sign_in(context)
        page = context.new_page()
        page.goto(served.origin + "/devices")
        question = page.get_by_role("region", name=f"Is {name} your device?")
        if answer.startswith("Yes"):
            question.get_by_role("button", name=answer).click()
            expect(page.get_by_text("is confirmed as yours.")).to_be_visible()
        else:
            question.get_by_role("link", name=answer).click()
            page.get_by_role("button", name="Revoke this device").click()
            expect(page.get_by_text("This device was revoked")).to_be_visible()


def test_a_key_is_replaced_on_request_and_the_page_says_when(page: Page, served: Served) -> None:
    page.goto(f"{served.origin}/keys/{served.seeded.key}")
    page.get_by_role("button", name="Replace this key").click()
    expect(page.get_by_text("The device makes it at its next contact")).to_be_visible()
    expect(page.get_by_role("button", name="Replace this key")).to_have_count(0)
    assert look(page, "a key that is being replaced") == {}
