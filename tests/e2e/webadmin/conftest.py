"""One WebAdmin that has been worked in, for all tests of its pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import Browser, Page

from tests.e2e.webadmin.serving import Office, office


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Iterator[Office]:
    """The portal and the cast."""
    with office(tmp_path_factory.mktemp("portal"), authority) as found:
        yield found


@pytest.fixture
def desk(browser: Browser, workplace: Office) -> Iterator[Page]:
    """A page of a browser in which Sam is signed in; any error of a script fails the test."""
    errors: list[str] = []
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        workplace.sit_down(context, workplace.lived.sam)
        opened = context.new_page()
        opened.set_default_timeout(10_000)
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
    assert errors == []
