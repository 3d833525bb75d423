"""On every address but a trusted portal's the bridge does not exist."""

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page

from tests.e2e.bridge.small_portal import SmallPortal, small_portal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, host_processes, wait_for_no_host, wait_for_stage

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("host", ["localhost", "evil.localhost"], ids=["other port", "other host"])
def test_a_genuine_document_from_elsewhere_starts_nothing(
    host: str,
    context: BrowserContext,
    authority: trustme.CA,
    machine: Machine,
    service: SmallService,
) -> None:
    page = context.new_page()
    with small_portal(authority, host) as elsewhere:
        elsewhere.make_document = service.document
        page.goto(elsewhere.origin + "/")
        wait_for_no_host(page, machine)
        with page.expect_download() as download:
            page.get_by_role("button", name="Activate this device").click()
        # The browser does what it does with any file; our media type was not even asked for.
        assert download.value.suggested_filename == "activation.handfast"
        assert "handfast" not in elsewhere.accepts[0]
        assert host_processes(machine.place.launcher) == []
    assert_nothing_started(context, page, machine, service)


def test_a_document_of_another_issuer_is_refused_unasked(
    context: BrowserContext,
    page: Page,
    portal: SmallPortal,
    machine: Machine,
    service: SmallService,
) -> None:
    foreign = SmallService("https://elsewhere.example", service.exchange)
    portal.make_document = foreign.document
    page.get_by_role("button", name="Activate this device").click()
    told = wait_for_stage(page, "error")
    assert told["message"] == "The document is signed by nobody this device trusts."
    assert_nothing_started(context, page, machine, service)


def test_a_forged_content_type_is_refused_unasked(
    context: BrowserContext,
    page: Page,
    portal: SmallPortal,
    machine: Machine,
    service: SmallService,
) -> None:
    portal.make_document = lambda: b"<script>alert(1)</script>"
    page.get_by_role("button", name="Activate this device").click()
    told = wait_for_stage(page, "error")
    assert told["message"] == "This is not an activation document."
    assert_nothing_started(context, page, machine, service)


def test_another_content_type_is_left_alone(
    context: BrowserContext,
    page: Page,
    portal: SmallPortal,
    machine: Machine,
    service: SmallService,
) -> None:
    portal.media_type = "application/vnd.handfast.activation+jwt-not"
    with page.expect_download():
        page.get_by_role("button", name="Activate this device").click()
    assert_nothing_started(context, page, machine, service)


def assert_nothing_started(
    context: BrowserContext, page: Page, machine: Machine, service: SmallService
) -> None:
    page.wait_for_timeout(1000)
    # After a failure the bridge asks once more which device this is; that host ends by itself.
    wait_for_no_host(page, machine)
    assert [other.url for other in context.pages if "consent" in other.url] == []
    assert service.posts == []
