"""A browser that knows no handler: the activation waits, and a file finishes it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from demo.main_job import words_on
from protocol.media_type import FILE_NAME
from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import Machine
from tests.e2e.main_job.installation import ANN, EVERYTHING, Installation
from tests.e2e.main_job.steps import allow_in, enter_page, words_on_device

pytestmark = EVERYTHING


@pytest.mark.usefixtures("bob_session")
def test_the_activation_waits_and_the_downloaded_document_finishes_it(
    bobs_browser: BrowserContext, bobs_machine: Machine, portal: Installation
) -> None:
    page = bobs_browser.new_page()
    page.goto(portal.issuer)
    page.get_by_role("button", name="Activate this device").click()
    expect(page.get_by_role("heading", name="Waiting for your device")).to_be_visible()
    other = bobs_browser.new_page()
    enter_page(other, portal, "Activations")
    expect(other.get_by_text("waiting for device")).to_be_visible()
    other.close()
    with page.expect_download() as download:
        page.get_by_role("button", name="Open with Handfast").click()
    assert download.value.suggested_filename == FILE_NAME
    file = bobs_machine.home / FILE_NAME
    download.value.save_as(file)
    done = handfast(bobs_machine, "open", str(file))
    assert done.returncode == 0, done.stderr
    assert not file.exists()
    # Nobody touches the page: it asks by itself.
    expect(page.get_by_role("heading", name="your device?")).to_be_visible()
    assert words_on(page) == words_on_device(bobs_machine, portal)
    # A document in a file could have been used by anybody: its owner says that it was not.
    page.get_by_role("button", name="Yes, this is my device").click()
    expect(page.get_by_text("is confirmed as yours.")).to_be_visible()
    page.close()


def test_without_script_the_press_fills_the_tab_and_ends_at_the_activations(
    context: BrowserContext, account_page: Page, machine: Machine, portal: Installation
) -> None:
    session = context.new_cdp_session(account_page)
    session.send("Emulation.setScriptExecutionDisabled", {"value": True})
    account_page.reload()
    allow_in(context, account_page)
    account_page.wait_for_url(f"{portal.issuer}/activations")
    first = account_page.get_by_role("main").get_by_role("listitem").first
    expect(first).to_contain_text(ANN)
    expect(first.get_by_text("active", exact=True)).to_be_visible()
    assert words_on_device(machine, portal).items() <= portal.active_words(ANN).items()
