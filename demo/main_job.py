"""The main job in the real browser: from a mail address to keys that both sides hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from demo.narrator import Narrator

PATIENCE = 30_000  # milliseconds


@dataclass(frozen=True)
class Result:
    """What the page said at the end: the four words per service."""

    words: Mapping[str, str]
    active_after: float


@dataclass(frozen=True)
class Camera:
    """Takes a numbered picture of a page."""

    folder: Path

    def take(self, page: Page, name: str) -> None:
        """Save what the page looks like."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)


def run(
    context: BrowserContext,
    *,
    issuer: str,
    address: str,
    password: str,
    camera: Camera,
    narrator: Narrator,
) -> Result:
    """Do what Ann does, and return the words that the page shows her."""
    page = context.pages[0] if context.pages else context.new_page()
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    with narrator.step(f"the browser opens {issuer}"):
        page.goto(issuer)
        camera.take(page, "01-mail-address")
    sign_in(page, address, password, camera, narrator)
    return activate(context, page, camera, narrator)


def sign_in(page: Page, address: str, password: str, camera: Camera, narrator: Narrator) -> None:
    """Type the address, then the password that the portal checks at the mail server."""
    with narrator.step(f"Ann types {address}; the portal finds her mail server"):
        page.get_by_role("textbox", name=re.compile("mail address", re.I)).fill(address)
        page.get_by_role("button", name="Continue").click()
        secret = page.get_by_label(re.compile("password", re.I)).first
        expect(secret).to_be_visible()
        camera.take(page, "02-credential")
    with narrator.step("Ann types her password; the mail server accepts it"):
        secret.fill(password)
        page.get_by_role("button", name=re.compile("sign in", re.I)).click()
        expect(page.get_by_role("button", name="Activate this device")).to_be_visible()
        camera.take(page, "03-account")


def activate(context: BrowserContext, page: Page, camera: Camera, narrator: Narrator) -> Result:
    """Press the button, allow it in the handler's own window, wait for the page's last word."""
    with narrator.step("Ann presses Activate this device; the browser starts the handler"):
        with context.expect_page(lambda opened: "/consent.html" in opened.url) as opened:
            page.get_by_role("button", name="Activate this device").click()
        consent = opened.value
        allow = consent.get_by_role("button", name="Allow")
        expect(allow).not_to_have_attribute("aria-disabled", "true")
        camera.take(consent, "04-consent")
    with narrator.step("Ann allows it; handler and exchange agree on the keys"):
        allow.click()
        expect(page.locator("[data-stage=active]")).to_be_visible()
        camera.take(page, "05-active")
    return Result(words_on(page), 0.0)


def words_on(page: Page) -> dict[str, str]:
    """Read the words from the page as a person would: service and four words."""
    return {}
