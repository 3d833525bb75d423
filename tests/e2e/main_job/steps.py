"""What a person does, in their words."""

from __future__ import annotations

from playwright.sync_api import BrowserContext, Page, expect

from demo.main_job import ENDED, words_on
from plugin.device import Device
from plugin.paths import Paths
from tests.e2e.browser import Machine, activate
from tests.e2e.main_job.installation import ANN, PASSWORDS, Installation

COOKIE = "__Host-handfast"


def sign_in(page: Page, portal: Installation, address: str = ANN) -> None:
    """Prove the mailbox, as on the first day."""
    page.goto(portal.issuer)
    enter(page, "Your mail address", address)
    enter(page, "Password of your mail account", PASSWORDS[address])
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def use_session(context: BrowserContext, portal: Installation, token: str) -> None:
    """Be signed in as whoever has this session."""
    context.add_cookies([{"name": COOKIE, "value": token, "url": portal.issuer}])


def enter(page: Page, label: str, text: str) -> None:
    """Fill in the field that is asked for and press Enter."""
    page.get_by_label(label).fill(text)
    page.keyboard.press("Enter")


def enter_page(page: Page, portal: Installation, name: str) -> None:
    """Go to a page by the navigation's link."""
    page.goto(portal.issuer)
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def allow_in(context: BrowserContext, page: Page) -> None:
    """Press "Activate this device" and allow it in the handler's window."""
    activate(context, page).get_by_role("button", name="Allow").click()


def wait_until_active(page: Page) -> dict[str, str]:
    """Wait for the page's last word; return what it shows: service → four words."""
    expect(page.locator("#progress")).to_have_attribute("data-stage", ENDED)
    return words_on(page)


def words_on_device(machine: Machine, portal: Installation) -> dict[str, str]:
    """Look which keys the device holds of this portal, the newest last: service → four words."""
    keys = sorted(device_of(machine).store.read().keys, key=lambda key: key.created)
    return {key.service: " ".join(key.words) for key in keys if key.issuer == portal.issuer}


def device_of(machine: Machine) -> Device:
    """Look into the machine's device from outside."""
    return Device.open(Paths.from_environment(machine.environment()))
