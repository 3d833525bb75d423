"""One portal for all page tests, and a new browser for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import Browser, Page

from tests.app.pages.seeded import live_in
from tests.e2e.pages.serving import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Served]:
    """A portal that Ann has used for nine days."""
    with serving(tmp_path_factory.mktemp("portal"), authority) as found:
        live_in(found.seeded)
        yield found


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    """A page of a browser in which Ann is signed in; any error of a script fails the test."""
    errors: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        served.sign_in(context)
        opened = context.new_page()
        opened.set_default_timeout(10_000)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
    assert errors == []


@pytest.fixture
def handler(served: Served) -> Iterator[None]:
    """The browser's requests name our media type."""
    served.door.names_the_type = True
    yield
    served.door.names_the_type = False
    served.door.names_the_device = ""
