"""The owner's answer about a device, by keyboard, on a telephone, and without a script."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.looking import look
from tests.e2e.pages.serving import Served
from tests.e2e.pages.test_pages_access import tab_to

pytestmark = pytest.mark.browser

# Tells the heading of each page that the script looks into.
TELL_WHAT_IS_READ = """const parse = DOMParser.prototype.parseFromString;
DOMParser.prototype.parseFromString = function (...given) {
  const page = parse.apply(this, given);
  console.info(page.getElementById("progress-title")?.textContent);
  return page;
};"""


def use_document(served: Served, name: str) -> None:
    """Let a device use an unbound document of Ann's."""
    service = served.seeded.service
    service.activate(service.handset(name), service.issue(served.seeded.ann, "mail").document)


def press_and_take(served: Served, page: Page, name: str) -> None:
    """Press the button, and let a device take the document that comes as a download."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Activate this device").first.click()
    service = served.seeded.service
    service.activate(service.handset(name), download.value.path().read_bytes())


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


@pytest.mark.usefixtures("handler")
def test_a_late_question_about_an_earlier_device_is_not_asked_over_a_new_activation(
    page: Page, served: Served
) -> None:
    page.add_init_script(TELL_WHAT_IS_READ)
    page.goto(served.origin)
    held: list[Route] = []
    form = page.locator("form.activate").first
    first_status = form.get_attribute("data-status") or ""

    # The page of the first activation, which has the question, is long on its way.
    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/activations/*", hold)
    with page.expect_request("**/activations/*"):
        press_and_take(served, page, "Ann's lamp")
    # What the form holds for another press comes after the end of the first.
    expect(form).not_to_have_attribute("data-status", first_status)
    with page.expect_download():
        page.get_by_role("button", name="Activate this device").first.click()
    progress = page.get_by_role("region", name="Activating this device")
    expect(progress).to_be_visible()

    (late,) = held
    with page.expect_console_message(lambda told: told.text == "Is Ann's lamp your device?"):
        late.continue_()

    expect(progress).to_be_visible()
    expect(progress.locator(".whose-is-it")).not_to_contain_text("Ann's lamp")


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
