"""Refusing, closing the window, pressing twice, revoking, allowing again."""

from __future__ import annotations

import time

from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import Machine, activate
from tests.e2e.main_job.installation import ANN, EVERYTHING, Installation
from tests.e2e.main_job.steps import (
    allow_in,
    device_of,
    enter_page,
    sign_in,
    wait_until_active,
    words_on_device,
)

pytestmark = EVERYTHING
REFUSED = "The request was refused on the device, so nothing was changed."


def test_a_refusal_is_told_and_the_same_page_can_activate_afterwards(
    context: BrowserContext, account_page: Page, machine: Machine, portal: Installation
) -> None:
    before = words_on_device(machine, portal)
    activate(context, account_page).get_by_role("button", name="Refuse").click()
    expect(account_page.get_by_text(REFUSED)).to_be_visible()
    assert words_on_device(machine, portal) == before
    allow_in(context, account_page)
    assert wait_until_active(account_page) == words_on_device(machine, portal)


def test_closing_the_window_is_a_refusal(context: BrowserContext, account_page: Page) -> None:
    activate(context, account_page).close()
    expect(account_page.get_by_text(REFUSED)).to_be_visible()


def test_two_quick_presses_are_one_activation(
    context: BrowserContext, account_page: Page, machine: Machine, portal: Installation
) -> None:
    before = portal.rows()["activation"]
    with context.expect_page() as opened:
        account_page.get_by_role("button", name="Activate this device").dblclick()
    opened.value.locator("#allow[aria-disabled=false]").wait_for()
    opened.value.get_by_role("button", name="Allow").click()
    assert wait_until_active(account_page) == words_on_device(machine, portal)
    assert portal.rows()["activation"] == before + 1
    assert [
        page.url for page in context.pages if page is not opened.value and "consent" in page.url
    ] == []


def test_a_revoked_device_gets_no_keys_until_its_owner_allows_it_again(
    context: BrowserContext, page: Page, machine: Machine, portal_on_postgresql: Installation
) -> None:
    # There Ann has this one device only, whatever other tests do.
    portal = portal_on_postgresql
    sign_in(page, portal)
    allow_in(context, page)
    shown = wait_until_active(page)
    page.get_by_role("link", name="Revoke these keys").click()
    page.get_by_role("button", name="Revoke these keys").click()
    # It held no other keys, so the device is revoked with them.
    expect(page.get_by_text("This device was revoked")).to_be_visible()
    expect(page.get_by_text("This device has no active key.")).to_be_visible()
    for words in shown.values():
        expect(page.get_by_text(words)).to_be_hidden()
    device_page = page.url
    assert portal.active_words(ANN) == {}
    enter_page(page, portal, "Your account")
    expect(page.get_by_text("not active")).to_have_count(3)

    allow_in(context, page)
    expect(page.get_by_text("The service says this device was revoked.")).to_be_visible()
    done = handfast(machine, "open", "--keep", str(portal.issue(ANN)))
    assert done.returncode == 6
    assert "handfast: error: the service says this device was revoked\n" in done.stderr
    assert portal.active_words(ANN) == {}

    page.goto(device_page)
    page.get_by_role("link", name="Allow this device again").click()
    page.get_by_role("button", name="Allow this device again").click()
    expect(page.get_by_role("link", name="Revoke this device")).to_be_visible()
    enter_page(page, portal, "Your account")
    allow_in(context, page)
    assert wait_until_active(page) == words_on_device(machine, portal) == portal.active_words(ANN)


def test_an_exchange_that_was_cut_is_finished_after_the_next_activation(
    context: BrowserContext, account_page: Page, machine: Machine, portal: Installation
) -> None:
    crash = {"HANDFAST_TESTING": "1", "HANDFAST_CRASH_AT": "device.pending.stored"}
    # What a revocation made impossible is kept for a week: no answer proves that it is over.
    before = device_of(machine).pending()
    handfast(machine, "open", str(portal.issue(ANN, "calendar")), environment=crash)
    (cut,) = set(device_of(machine).pending()) - set(before)
    account_page.get_by_role("checkbox", name="Calendar").uncheck()
    # What was begun in the same second could be another handler's, and would be left alone.
    account_page.wait_for_timeout(1000)
    allow_in(context, account_page)
    assert set(wait_until_active(account_page)) == {"mail", "contacts"}
    # The handler goes on with it after the page has heard of its own activation.
    deadline = time.monotonic() + 10
    while cut in device_of(machine).pending() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert cut not in device_of(machine).pending()
    assert words_on_device(machine, portal) == portal.active_words(ANN)
