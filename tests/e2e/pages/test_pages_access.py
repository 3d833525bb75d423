"""Every signed-in page: no accessibility finding, no sideways scrolling, the keyboard is enough."""

from __future__ import annotations

from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser

# Every page and listed state, by what it shows.
PAGES = {
    "your account": "/",
    "devices": "/devices",
    "a device": "/devices/{laptop}",
    "a revoked device": "/devices/{tablet}",
    "a device that waits for its owner": "/devices/{phone}",
    "revoke a device": "/devices/{laptop}/revoke",
    "restore a device": "/devices/{tablet}/restore",
    "a key": "/keys/{key}",
    "a revoked key": "/keys/{ended_key}",
    "revoke a key": "/keys/{key}/revoke",
    "activations": "/activations",
    "an activation that waits": "/activations/{waiting}",
    "an activation with a document": "/activations/{issued}",
    "an activation that was used": "/activations/{used}",
    "an activation whose device waits for its owner": "/activations/{doubtful}",
    "end an activation": "/activations/{waiting}/revoke",
    "undo an activation": "/activations/{used}/revoke",
    "sessions": "/sessions",
    "end the other sessions": "/sessions/end-others",
    "history": "/history",
    "one's data": "/my-data",
    "delete everything": "/my-data/delete",
    "an account": "/mail-accounts/account-ann",
    "an unproven account": "/mail-accounts/{unproven}",
    "remove an account": "/mail-accounts/{unproven}/remove",
    "prove an account": "/mail-accounts/{unproven}/prove",
    "the last account": "/mail-accounts/account-ann/remove",
    "add an account": "/accounts/add",
    "a missing page": "/devices/nothing",
}
# Each width and each colour scheme once.
VIEWS: Final[dict[str, tuple[int, Literal["dark", "light"]]]] = {
    "desktop, dark": (1280, "dark"),
    "telephone, light": (320, "light"),
}


@pytest.mark.parametrize("view", VIEWS)
def test_no_page_has_an_accessibility_finding_or_scrolls_sideways(
    browser: Browser, served: Served, view: str
) -> None:
    width, scheme = VIEWS[view]
    found: dict[str, object] = {}
    with browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,
    ) as context:
        served.sign_in(context)
        page, axe = context.new_page(), Axe()
        for name, path in PAGES.items():
            page.goto(served.origin + path.format_map(vars(served.seeded)))
            results = axe.run(page)
            found |= {f"{name}: {each['id']}": each for each in results.response["violations"]}
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found[f"{name}: wider than {width} px"] = path
    assert found == {}


def test_pages_with_nothing_on_them_have_no_finding_either(
    browser: Browser, served: Served
) -> None:
    with browser.new_context() as context:
        served.sign_in(context, served.seeded.service.bob)
        page = context.new_page()
        for path in ("/", "/devices", "/activations", "/sessions", "/history"):
            page.goto(served.origin + path)
            assert Axe().run(page).response["violations"] == [], path


def test_titles_name_the_thing(page: Page, served: Served) -> None:
    titles = set()
    for path in PAGES.values():
        page.goto(served.origin + path.format_map(vars(served.seeded)))
        titles.add(page.title())
    # Two devices, two keys and so on have names of their own; three activations share an account.
    assert len(titles) >= len(PAGES) - 3
    assert "Ann's laptop · Handfast" in titles


def test_a_key_is_revoked_with_the_keyboard_alone(page: Page, served: Served) -> None:
    page.goto(served.origin + f"/keys/{served.seeded.key}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "Revoke this key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Revoke the key for Mail")
    tab_to(page, "Revoke this key")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This key was revoked")).to_be_visible()


def test_an_activation_is_started_with_the_keyboard_alone(page: Page, served: Served) -> None:
    page.goto(served.origin)
    page.locator("main").focus()
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "checkbox":
            page.keyboard.press("Space")
            break
    tab_to(page, "Activate this device")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Waiting for your device")).to_be_visible()


def test_pages_work_without_script(browser: Browser, served: Served) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        served.sign_in(context)
        page = context.new_page()
        page.goto(served.origin)
        page.get_by_role("button", name="Activate this device").first.click()
        expect(page.get_by_role("heading", name="Waiting for your device")).to_be_visible()
        page.get_by_role("link", name="End this activation").click()
        page.get_by_role("button", name="End this activation").click()
        expect(page.get_by_text("This activation has ended")).to_be_visible()


def tab_to(page: Page, text: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            return
    pytest.fail(f"the keyboard does not reach {text!r}")
