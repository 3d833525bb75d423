"""Get the client, in a browser: at every width, with the keyboard, and the file itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from app.extensions import of
from protocol.signing import SigningKey
from protocol.trust import TrustBundle
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser

BODY = os.urandom(250_000)


@pytest.fixture
def offered(served: Served) -> Iterator[Path]:
    """The operator has put a client there, and published the keys."""
    config = of(served.seeded.app).config
    bundle = TrustBundle(served.origin, (SigningKey.generate(entropy=os.urandom).verify_key,))
    file = config.client_dir / "handfast-1.2.3-py3-none-any.whl"
    trust = config.keys_dir / "published/trust.json"
    for path, content in ((file, BODY), (trust, bundle.to_json())):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    yield file
    file.unlink()
    trust.unlink()


@pytest.mark.parametrize(
    ("width", "scheme"), [(320, "light"), (320, "dark"), (1280, "light"), (1280, "dark")]
)
def test_it_has_no_finding_with_and_without_a_client(
    browser: Browser, served: Served, offered: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    with browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.goto(f"{served.origin}/client")
        page.locator("summary").click()
        found = look(page, "offered")
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/client-{width}-{scheme}.png", full_page=True)
        aside = offered.rename(offered.with_suffix(".aside"))
        page.reload()
        expect(page.get_by_role("heading", name="Nothing to download here yet")).to_be_visible()
        found |= look(page, "nothing offered")
        if folder:
            page.screenshot(path=f"{folder}/client-empty-{width}-{scheme}.png", full_page=True)
        aside.rename(offered)
    assert found == {}


def test_the_keyboard_alone_downloads_it(page: Page, served: Served, offered: Path) -> None:
    page.goto(f"{served.origin}/client")
    page.locator("main").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Download version 1.2.3")).to_be_focused()
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    assert started.value.suggested_filename == offered.name
    assert Path(started.value.path()).read_bytes() == BODY


def test_a_command_is_copied_whole(page: Page, served: Served, offered: Path) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{served.origin}/client")
    install = page.get_by_role("region", name="2. Install")
    install.get_by_role("button", name="Copy the command").first.click()
    expect(install.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"pipx install ./{offered.name}"


def test_the_page_of_a_waiting_activation_leads_there(page: Page, served: Served) -> None:
    page.goto(served.origin + f"/activations/{served.seeded.waiting}")
    page.locator("#finish").get_by_role("link", name="Get the client").click()
    expect(page.get_by_role("heading", level=1, name="Get the client")).to_be_visible()
