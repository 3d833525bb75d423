"""A small portal, the service behind it, and a machine whose browser has our handler.

One browser for each file of tests, since starting one takes seconds; a fresh page for each test.
"""

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page, Playwright

from protocol.media_type import ACTIVATION
from tests.e2e.bridge.registered import registered_machine
from tests.e2e.bridge.small_portal import SmallPortal, small_portal
from tests.e2e.bridge.small_service import SmallService, small_service
from tests.e2e.browser import Machine, browser, close_what_is_left, wait_for_no_host


@pytest.fixture(scope="module")
def started_portal(authority: trustme.CA) -> Iterator[SmallPortal]:
    with small_portal(authority) as portal:
        yield portal


@pytest.fixture(scope="module")
def started_service(started_portal: SmallPortal) -> Iterator[SmallService]:
    with small_service(started_portal.origin) as service:
        yield service


@pytest.fixture
def service(started_service: SmallService) -> SmallService:
    """The portal's own service, which has heard nothing yet."""
    started_service.posts.clear()
    return started_service


@pytest.fixture
def portal(started_portal: SmallPortal, service: SmallService) -> SmallPortal:
    """The portal as it should be: each activation gets a fresh document for Ann."""
    started_portal.accepts.clear()
    started_portal.asked.clear()
    started_portal.sends_on_to = ""
    started_portal.only_notes = False
    started_portal.media_type = ACTIVATION
    started_portal.make_document = service.document
    return started_portal


@pytest.fixture(scope="module")
def machine(authority: trustme.CA, started_service: SmallService) -> Iterator[Machine]:
    with registered_machine(authority, started_service) as machine:
        yield machine


@pytest.fixture(scope="module")
def context(playwright: Playwright, machine: Machine) -> Iterator[BrowserContext]:
    with browser(playwright, machine) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, portal: SmallPortal, machine: Machine) -> Iterator[Page]:
    """The portal's account page, open in Ann's browser, whose bridge knows which device it is."""
    page = context.new_page()
    page.goto(portal.origin + "/")
    wait_for_no_host(page, machine)
    yield page
    close_what_is_left(context)
