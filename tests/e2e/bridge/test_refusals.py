"""Every way of not saying yes is a refusal, and nothing is sent."""

import os
import signal

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import (
    Machine,
    activate,
    host_processes,
    wait_for_no_host,
    wait_for_stage,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def consent(context: BrowserContext, page: Page) -> Page:
    return activate(context, page)


def test_the_button(consent: Page, page: Page, service: SmallService) -> None:
    consent.get_by_role("button", name="Refuse").click()
    wait_for_stage(page, "refused")
    assert service.posts == []


def test_the_escape_key(consent: Page, page: Page, service: SmallService) -> None:
    consent.keyboard.press("Escape")
    wait_for_stage(page, "refused")
    assert service.posts == []


def test_closing_the_window(consent: Page, page: Page, service: SmallService) -> None:
    consent.close()
    wait_for_stage(page, "refused")
    assert service.posts == []


def test_leaving_the_page(
    consent: Page, page: Page, machine: Machine, portal: SmallPortal, service: SmallService
) -> None:
    with consent.expect_event("close"):
        page.goto(portal.origin + "/activations")
    wait_for_no_host(page, machine)
    assert service.posts == []


def test_closing_the_page(
    consent: Page, page: Page, context: BrowserContext, machine: Machine, service: SmallService
) -> None:
    with consent.expect_event("close"):
        page.close()
    wait_for_no_host(context.pages[0], machine)
    assert service.posts == []


def test_the_end_of_the_handler(
    consent: Page, page: Page, machine: Machine, service: SmallService
) -> None:
    (host,) = host_processes(machine.place.launcher)
    with consent.expect_event("close"):
        kill(host)
    told = wait_for_stage(page, "error")
    assert told["message"] == "Handfast stopped before the end."
    assert service.posts == []


def test_pressing_again_ends_the_first_and_asks_anew(
    consent: Page, page: Page, context: BrowserContext, service: SmallService
) -> None:
    with consent.expect_event("close"):
        second = activate(context, page)
    second.get_by_role("button", name="Allow").click()
    wait_for_stage(page, "active")
    assert service.posts == ["/init", "/confirm"]


def kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)
