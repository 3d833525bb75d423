"""After an activation the document is nowhere on the machine."""

import pytest
import trustme
from playwright.sync_api import Playwright

from tests.e2e.bridge.registered import registered_machine
from tests.e2e.bridge.small_portal import SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import activate, browser, files_holding, wait_for_stage

pytestmark = pytest.mark.browser


def test_the_document_is_in_no_file(
    playwright: Playwright, authority: trustme.CA, portal: SmallPortal, service: SmallService
) -> None:
    with registered_machine(authority, service) as machine:
        with browser(playwright, machine) as context:
            page = context.new_page()
            page.goto(portal.origin + "/")
            for button in ("Activate this device", "Activate in this tab"):
                consent = activate(context, page, button=button)
                assert files_holding(service.markers(), machine.home) == []
                consent.get_by_role("button", name="Allow").click()
                if button == "Activate this device":
                    wait_for_stage(page, "active")
            page.wait_for_url(portal.origin + "/activations")
            assert files_holding(service.markers(), machine.home) == []
        # The browser writes much of its profile when it ends.
        assert len(list(machine.profile.rglob("*"))) > 50
        assert files_holding(service.markers(), machine.home) == []
        seeded = machine.profile / "seeded"
        seeded.write_bytes(b"..." + service.markers()[0])
        assert files_holding(service.markers(), machine.home) == [seeded]
