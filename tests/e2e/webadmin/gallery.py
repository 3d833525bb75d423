"""Pictures of every listed page of WebAdmin, for people to look at.

    .venv/bin/python -m tests.e2e.webadmin.gallery FOLDER [WORD …]

With words, only pages whose names have one of them.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final, Literal

import trustme
from playwright.sync_api import BrowserContext, sync_playwright

from demo.browser import find
from tests.app.webadmin.listed import PAGES
from tests.e2e.looking import look
from tests.e2e.webadmin.serving import Office, office

VIEWS: Final[tuple[tuple[int, Literal["light", "dark"]], ...]] = (
    (1280, "light"),
    (1280, "dark"),
    (320, "light"),
    (320, "dark"),
)


def main(folder: Path, words: list[str]) -> None:
    """Draw them, and say what is found on them."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in PAGES if not words or any(word in name for word in words)]
    with (
        tempfile.TemporaryDirectory() as state,
        office(Path(state), trustme.CA()) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        for width, scheme in VIEWS:
            for name in chosen:
                with browser.new_context(
                    viewport={"width": width, "height": 800},
                    color_scheme=scheme,
                    ignore_https_errors=True,
                ) as context:
                    draw(context, served, name, folder / f"{width}-{scheme}")
        browser.close()


def draw(context: BrowserContext, served: Office, name: str, start: Path) -> None:
    """Draw one page from top to bottom."""
    listed = PAGES[name]
    if listed.who:
        served.sit_down(context, getattr(served.lived, listed.who))
    page = context.new_page()
    page.goto(served.address(listed.path))
    for found in look(page, f"{name} {start.name}"):
        sys.stdout.write(f"{found}\n")
    page.screenshot(path=f"{start}-{name.replace(' ', '-')}.png", full_page=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
