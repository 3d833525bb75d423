"""The consent window: what it says, who can press its button, and with what."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, activate, host_processes, press, wait_for_stage

pytestmark = pytest.mark.browser


def test_says_who_asks_for_what(context: BrowserContext, page: Page, service: SmallService) -> None:
    consent = activate(context, page)
    facts = consent.get_by_role("main").inner_text()
    assert service.issuer.removeprefix("https://") in facts
    assert service.fingerprint in facts
    assert "ann@example.org\nMail\nContacts\nCalendar\n" in facts
    assert "about 4 min left" in facts
    assert consent.title() == "Allow this activation? · Handfast"


def test_an_address_is_text_and_not_markup(
    context: BrowserContext, page: Page, portal: SmallPortal, service: SmallService
) -> None:
    address = "<img/src=x>@example.org"
    portal.make_document = lambda: service.document(address)
    consent = activate(context, page)
    assert consent.get_by_text(address).is_visible()
    assert consent.locator("#accounts img").count() == 0


def test_the_keyboard_is_enough(context: BrowserContext, page: Page) -> None:
    page.get_by_role("button", name="Activate this device").focus()
    with context.expect_page() as opened:
        page.keyboard.press("Enter")
    consent = opened.value
    consent.locator("#allow[aria-disabled=false]").wait_for()
    expect(consent.get_by_role("heading", name="Allow this activation?")).to_be_focused()
    consent.keyboard.press("Tab")
    expect(consent.get_by_role("button", name="Refuse")).to_be_focused()
    consent.keyboard.press("Tab")
    expect(consent.get_by_role("button", name="Allow")).to_be_focused()
    consent.keyboard.press("Enter")
    wait_for_stage(page, "active")


def test_enter_alone_allows_nothing(
    context: BrowserContext, page: Page, service: SmallService
) -> None:
    consent = activate(context, page)
    consent.keyboard.press("Enter")
    consent.keyboard.press("Space")
    consent.wait_for_timeout(500)
    assert not consent.is_closed()
    assert service.posts == []


def test_the_button_is_dead_for_the_first_second(
    context: BrowserContext, page: Page, service: SmallService
) -> None:
    consent = press(context, page)
    consent.locator("#issuer:not(:empty)").wait_for()
    assert consent.locator("#allow").get_attribute("aria-disabled") == "true"
    consent.locator("#allow").dispatch_event("click")
    consent.locator("#allow").click(force=True)
    consent.wait_for_timeout(300)
    assert not consent.is_closed()
    assert service.posts == []


def test_a_click_that_no_person_made_allows_nothing(
    context: BrowserContext, page: Page, service: SmallService
) -> None:
    consent = activate(context, page)
    consent.evaluate("document.getElementById('allow').click()")
    consent.wait_for_timeout(500)
    assert not consent.is_closed()
    assert service.posts == []


def test_coming_back_to_the_window_disarms_the_button(context: BrowserContext, page: Page) -> None:
    consent = activate(context, page)
    consent.evaluate("window.dispatchEvent(new Event('focus'))")
    assert consent.locator("#allow").get_attribute("aria-disabled") == "true"
    consent.locator("#allow[aria-disabled=false]").wait_for()


def test_one_question_at_a_time_and_few_in_all(
    context: BrowserContext, page: Page, portal: SmallPortal, machine: Machine
) -> None:
    others = [context.new_page() for _ in range(4)]
    consent = activate(context, page)
    for other in others:
        other.goto(portal.origin + "/")
        other.get_by_role("button", name="Activate this device").click()
    told = [wait_for_stage(other, "error") for other in others[2:]]
    assert {detail["code"] for detail in told} == {"busy"}
    assert len(host_processes(machine.place.launcher)) == 1
    assert [left.url for left in context.pages if "consent" in left.url] == [consent.url]
    others[0].close()
    with context.expect_page() as opened:
        consent.get_by_role("button", name="Refuse").click()
    wait_for_stage(page, "refused")
    opened.value.locator("#allow[aria-disabled=false]").wait_for()
    opened.value.get_by_role("button", name="Allow").click()
    wait_for_stage(others[1], "active")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 460])
def test_everybody_can_use_it(context: BrowserContext, page: Page, scheme: str, width: int) -> None:
    consent = activate(context, page)
    consent.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    consent.set_viewport_size({"width": width, "height": 560})
    found = Axe().run(consent)
    assert found.violations_count == 0, found.generate_report()
    assert consent.evaluate("document.documentElement.scrollWidth") <= width
