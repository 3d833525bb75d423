"""A small portal, the service behind it, and a machine whose browser has our handler."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from plugin.registration import chromium
from tests.e2e.browser import Machine, browser, new_machine
from tests.e2e.small_portal import SmallPortal, small_portal
from tests.e2e.small_service import SmallService, small_service


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture
def portal(authority: trustme.CA) -> Iterator[SmallPortal]:
    with small_portal(authority) as portal:
        yield portal


@pytest.fixture
def service(portal: SmallPortal) -> Iterator[SmallService]:
    """The portal's own service: each activation gets a fresh document for Ann."""
    with small_service(portal.origin) as service:
        portal.make_document = service.document
        yield service


@pytest.fixture
def machine(authority: trustme.CA, service: SmallService) -> Iterator[Machine]:
    """Ann's machine: it trusts the service, and the handler is registered with the browser."""
    # A short path: below the tests' own folders the browser's socket would have too long a name.
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        machine = new_machine(Path(folder), authority)
        service.become_trusted(machine.device)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("HANDFAST_HOME", str(machine.device))
            chromium.register(machine.place, [service.issuer])
        yield machine


@pytest.fixture
def context(playwright: Playwright, machine: Machine) -> Iterator[BrowserContext]:
    with browser(playwright, machine) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, portal: SmallPortal) -> Page:
    """The portal's account page, open in Ann's browser."""
    page = context.new_page()
    page.goto(portal.origin + "/")
    return page
