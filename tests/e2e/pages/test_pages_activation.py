"""The activation as the page tells it: with a handler, without one, and when it goes wrong."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from protocol import media_type
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser


def press(page: Page) -> None:
    page.get_by_role("button", name="Activate this device").first.click()


def press_and_take(page: Page) -> bytes:
    """Press the button, and take the document as a download instead of a handler."""
    with page.expect_download() as download:
        press(page)
    expect(page.get_by_text("Your device asks whether you allow this")).to_be_visible()
    return download.value.path().read_bytes()


def findings(page: Page) -> list[str]:
    return [each["id"] for each in Axe().run(page).response["violations"]]


def hint(page: Page, detail: dict[str, str]) -> None:
    page.evaluate("detail => document.dispatchEvent(new CustomEvent('handfast', {detail}))", detail)


@pytest.mark.usefixtures("handler")
def test_the_page_ends_with_the_words_that_the_device_has(page: Page, served: Served) -> None:
    service = served.seeded.service
    watch = service.handset("Ann's watch")
    served.door.names_the_device = watch.identity.kid
    page.goto(served.origin)
    document = press_and_take(page)
    assert findings(page) == []
    established = service.activate(watch, document)
    progress = page.get_by_role("region", name="This device is active")
    expect(progress).to_be_visible()
    assert findings(page) == []
    shown = progress.locator(".words").all_inner_texts()
    assert sorted(shown) == sorted(" ".join(key.words) for key in established.keys)
    expect(progress.get_by_text("Ann's watch")).to_be_visible()
    expect(progress.get_by_text("192.0.2.7")).to_be_visible()
    progress.get_by_role("link", name="Revoke these keys").click()
    expect(page).to_have_title(re.compile("Revoke the keys of Ann's watch"))
    page.get_by_role("button", name="Revoke these keys").click()
    expect(page.get_by_text("This device was revoked")).to_be_visible()


@pytest.mark.usefixtures("handler")
def test_where_anybody_may_have_used_the_document_the_page_asks_whose_device_it_is(
    page: Page, served: Served
) -> None:
    service = served.seeded.service
    page.goto(served.origin)
    service.activate(service.handset("Ann's reader"), press_and_take(page))
    progress = page.get_by_role("region", name="Is Ann's reader your device?")
    expect(progress.get_by_text("Without an answer its keys end")).to_be_visible()
    assert progress.locator(".words").count() == 3
    assert findings(page) == []
    progress.get_by_role("button", name="Yes, this is my device").click()
    expect(page.get_by_text("Ann's reader is confirmed as yours.")).to_be_visible()
    page.goto(served.origin)
    expect(page.get_by_role("heading", name="Is Ann's reader your device?")).to_have_count(0)


@pytest.mark.usefixtures("handler")
def test_a_second_activation_on_the_same_page_asks_about_its_own_device(
    page: Page, served: Served
) -> None:
    service = served.seeded.service
    page.goto(served.origin)
    for name in ("First box", "Second box"):
        service.activate(service.handset(name), press_and_take(page))
        progress = page.get_by_role("region", name=f"Is {name} your device?")
        expect(
            progress.get_by_role("button", name=f"Yes, this is my device {name}")
        ).to_be_visible()
        expect(page.locator("#progress .whose-is-it")).to_have_count(1)


@pytest.mark.usefixtures("handler")
def test_a_hint_makes_the_page_ask_but_is_not_believed(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    hint(page, {"stage": "active"})
    expect(page.get_by_text("Your device asks whether you allow this")).to_be_visible()
    expect(page.get_by_role("heading", name="This device is active")).to_have_count(0)


@pytest.mark.usefixtures("handler")
def test_a_refusal_on_the_device_is_told(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    hint(page, {"stage": "refused"})
    expect(page.get_by_role("heading", name="Refused on the device")).to_be_visible()


@pytest.mark.usefixtures("handler")
def test_an_error_of_the_device_is_shown_with_its_hint(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    hint(page, {"stage": "error", "message": "The device is full.", "hint": "Remove a key."})
    expect(page.get_by_text("The device is full.")).to_be_visible()
    expect(page.get_by_text("Remove a key.")).to_be_visible()


def test_without_a_handler_the_page_says_how_to_finish(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press(page)
    expect(page.get_by_role("heading", name="Waiting for your device")).to_be_visible()
    expect(page.get_by_text(f"handfast trust add {served.origin}")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Open with Handfast").click()
    assert download.value.suggested_filename == media_type.FILE_NAME
    expect(page.get_by_text("Your device asks whether you allow this")).to_be_visible()


def test_an_activation_of_no_service_is_not_sent(page: Page, served: Served) -> None:
    page.goto(served.origin)
    card = page.get_by_role("region", name=served.seeded.ann.address)
    for box in card.get_by_role("checkbox").all():
        box.uncheck()
    press(page)
    expect(card.get_by_text("Choose at least one service")).to_be_visible()
    expect(card.get_by_role("checkbox").first).to_be_focused()


def test_script_cannot_fetch_the_document(page: Page, served: Served) -> None:
    page.goto(served.origin)
    status = page.evaluate(
        """async () => {
          const form = document.querySelector("form.activate");
          const body = new URLSearchParams(new FormData(form));
          body.set("deliver", "document");
          return (await fetch(form.action, {method: "POST", body})).status;
        }"""
    )
    assert status == 403


def test_the_end_of_the_session_is_said_before(page: Page, served: Served) -> None:
    page.clock.install()
    page.goto(served.origin)
    expect(page.get_by_text("You will be signed out soon.")).to_be_hidden()
    page.clock.fast_forward("56:00")
    expect(page.get_by_role("alert")).to_contain_text("You will be signed out soon.")


@pytest.mark.usefixtures("handler")
def test_a_second_press_is_not_possible_while_the_first_runs(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    button = page.get_by_role("button", name="Activate this device").first
    expect(button).to_be_disabled()
    hint(page, {"stage": "refused"})
    expect(button).to_be_enabled()


@pytest.mark.usefixtures("handler")
def test_a_session_that_ended_meanwhile_is_told(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    page.context.clear_cookies()
    expect(page.get_by_text("You have been signed out.")).to_be_visible()


@pytest.mark.usefixtures("handler")
def test_an_ended_activation_is_told(page: Page, served: Served) -> None:
    page.goto(served.origin)
    press_and_take(page)
    page.get_by_role("link", name="Nothing happens on the device?").click()
    page.get_by_role("link", name="End this activation").click()
    page.get_by_role("button", name="End this activation").click()
    expect(page.get_by_role("heading", name="This activation has ended")).to_be_visible()
