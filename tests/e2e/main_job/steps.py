"""What a person does, in their words."""

from __future__ import annotations

import json

from playwright.sync_api import BrowserContext, Page, expect

from demo.main_job import words_on
from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import Machine, activate
from tests.e2e.main_job.installation import ANN, PASSWORDS, Installation


def sign_in(page: Page, portal: Installation, address: str = ANN) -> None:
    """Prove the mailbox, as on the first day."""
    page.goto(portal.issuer)
    enter(page, "Your mail address", address)
    enter(page, "Password of your mail account", PASSWORDS[address])
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def enter(page: Page, label: str, text: str) -> None:
    """Fill in the field that is asked for and press Enter."""
    page.get_by_label(label).fill(text)
    page.keyboard.press("Enter")


def allow(context: BrowserContext, page: Page) -> None:
    """Press "Activate this device" and allow it in the handler's window."""
    activate(context, page).get_by_role("button", name="Allow").click()


def wait_until_active(page: Page) -> dict[str, str]:
    """Wait for the page's last word; return what it shows: service → four words."""
    expect(page.get_by_role("heading", name="is active")).to_be_visible()
    return words_on(page)


def words_on_device(machine: Machine, portal: Installation) -> dict[str, str]:
    """Ask the handler which keys it holds of this portal: service → four words."""
    listed = json.loads(handfast(machine, "keys", "list", "--json").stdout)
    return {
        key["service"]: " ".join(key["words"]) for key in listed if key["issuer"] == portal.issuer
    }
