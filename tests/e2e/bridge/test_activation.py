"""A document that the browser received reaches the handler, and the page hears what came of it."""

import json

import pytest
from playwright.sync_api import BrowserContext, Page

from plugin.device import Device
from plugin.paths import Paths
from protocol.media_type import accepts_activation
from tests.e2e.bridge.registered import handfast
from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import (
    CHROMIUM_BINARY,
    Machine,
    activate,
    host_processes,
    parent_program,
    wait_for_stage,
)

pytestmark = pytest.mark.browser


def test_ann_allows_and_both_sides_hold_the_same_keys(
    context: BrowserContext, page: Page, machine: Machine, service: SmallService
) -> None:
    consent = activate(context, page)
    consent.get_by_role("button", name="Allow").click()
    wait_for_stage(page, "active")
    device = Device.open(Paths.from_environment({"HANDFAST_HOME": str(machine.device)}))
    ours = [(key.service, key.words) for key in device.store.read().keys]
    assert ours == [(key.service, key.words) for key in service.keys]
    assert len(ours) == 3


def test_the_browser_asks_for_the_document_by_name(
    context: BrowserContext, page: Page, portal: SmallPortal
) -> None:
    activate(context, page)
    assert [accepts_activation(accept) for accept in portal.accepts] == [True]


def test_the_browser_is_the_parent_of_the_handler(
    context: BrowserContext, page: Page, machine: Machine
) -> None:
    activate(context, page)
    (host,) = host_processes(machine.place.launcher)
    assert parent_program(host) == CHROMIUM_BINARY


def test_a_document_that_fills_the_tab_leaves_a_page_behind(
    context: BrowserContext, page: Page, portal: SmallPortal
) -> None:
    consent = activate(context, page, button="Activate in this tab")
    consent.get_by_role("button", name="Allow").click()
    page.wait_for_url(portal.origin + "/activations")


def test_nobody_sees_the_document(context: BrowserContext, page: Page) -> None:
    activate(context, page)
    frame = page.frames[1]
    assert "Handfast has taken the document." in frame.locator("body").inner_text()


def test_the_page_itself_cannot_read_the_frame(context: BrowserContext, page: Page) -> None:
    activate(context, page)
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_the_doctor_sees_that_the_running_browser_has_the_extension(
    page: Page, machine: Machine
) -> None:
    found = json.loads(handfast(machine, "doctor", "--json").stdout)
    (ours,) = [finding for finding in found if finding["place"] == str(machine.profile)]
    assert ours["works"], ours
