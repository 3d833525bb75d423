"""The main job in the real browser: from a mail address to keys that both sides hold."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from demo.narrator import Narrator

PATIENCE = 30_000  # milliseconds
# How the page says that the keys are there: with a question, where the document was not bound.
ENDED = re.compile("^(active|unconfirmed)$")


@dataclass(frozen=True)
class Result:
    """What the page said at the end (service → four words), and how long the machines took."""

    words: Mapping[str, str]
    machine_seconds: float


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
    return activate(context, page, address, camera, narrator)


def sign_in(page: Page, address: str, password: str, camera: Camera, narrator: Narrator) -> None:
    """Type the address, then the password that the portal checks at the mail server."""
    with narrator.step(f"Ann types {address}; the portal finds her mail server"):
        page.get_by_label("Your mail address").fill(address)
        page.get_by_role("button", name="Continue").click()
        secret = page.get_by_label("Password of your mail account")
        expect(secret).to_be_visible()
        camera.take(page, "02-password")
    with narrator.step("Ann types her password; the mail server accepts it"):
        secret.fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("button", name="Activate this device")).to_be_visible()
        camera.take(page, "03-account")


def activate(
    context: BrowserContext, page: Page, address: str, camera: Camera, narrator: Narrator
) -> Result:
    """Press the button, allow it in the handler's own window, wait for the page's last word."""
    with narrator.step("Ann presses Activate this device; the browser starts the handler"):
        with context.expect_page(lambda opened: "/consent.html" in opened.url) as opened:
            pressed = time.monotonic()
            page.get_by_role("button", name="Activate this device").click()
        consent = opened.value
        allow = consent.get_by_role("button", name="Allow")
        expect(consent.get_by_text(address)).to_be_visible()
        thinking = time.monotonic()
        # The button arms after a second, so that nobody allows what they have not read.
        expect(allow).not_to_have_attribute("aria-disabled", "true")
        camera.take(consent, "04-consent")
    with narrator.step("Ann allows it; handler and key exchange agree on the keys"):
        asked = time.monotonic()
        allow.click()
        progress = page.locator("#progress")
        expect(progress).to_have_attribute("data-stage", ENDED)
        active = time.monotonic()
        camera.take(page, "05-active")
    return Result(words_on(page), (thinking - pressed) + (active - asked))


def words_on(page: Page) -> dict[str, str]:
    """Read what the page shows: service → four words."""
    listed = page.locator("#progress .words-list")
    names: dict[str, str] = json.loads(listed.get_attribute("data-names") or "{}")
    services = {name: service for service, name in names.items()}
    found = {}
    for line in listed.get_by_role("listitem").all():
        words = line.locator(".words").inner_text()
        name = line.inner_text().replace(words, "").strip()
        found[services[name]] = words
    return found


def words_of_devices(context: BrowserContext, issuer: str) -> set[str]:
    """Read from the portal's pages the words of every active key of the person signed in."""
    page = context.pages[0]
    page.goto(f"{issuer}/devices")
    links = page.locator("main .rows h2 a").all()
    addresses = [link.get_attribute("href") for link in links]
    found: set[str] = set()
    for address in addresses:
        page.goto(f"{issuer}{address}")
        # Keys that have ended stand in a list of their own, folded away.
        found |= set(page.locator("main > .rows .words").all_inner_texts())
    page.goto(issuer)
    return found
