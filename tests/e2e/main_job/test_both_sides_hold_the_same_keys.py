"""Ann signs in with her mailbox, presses one button, and device and service share keys."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.bridge.registered import handfast
from tests.e2e.browser import CHROMIUM_BINARY, Machine, activate, host_processes, parent_program
from tests.e2e.main_job.installation import ANN, EVERYTHING, Installation
from tests.e2e.main_job.steps import sign_in, wait_until_active

pytestmark = EVERYTHING


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_page_device_and_service_end_with_the_same_words(
    context: BrowserContext,
    page: Page,
    machine: Machine,
    portal: Installation,
    portal_on_postgresql: Installation,
    database: str,
) -> None:
    here = portal if database == "sqlite" else portal_on_postgresql
    sign_in(page, here)
    consent = activate(context, page)
    (host,) = host_processes(machine.place.launcher)
    assert parent_program(host) == CHROMIUM_BINARY
    consent.get_by_role("button", name="Allow").click()
    shown = wait_until_active(page)
    assert set(shown) == {"mail", "contacts", "calendar"}
    assert shown == listed(machine, here) == here.active_words(ANN)
    card = page.get_by_role("region", name=ANN)
    expect(card.get_by_text(re.compile("^active on . device"))).to_have_count(3)
    expect(card.get_by_text("not active")).to_have_count(0)


def listed(machine: Machine, here: Installation) -> dict[str, str]:
    """What the handler's own command says: service → four words."""
    keys = json.loads(handfast(machine, "keys", "list", "--json").stdout)
    return {key["service"]: " ".join(key["words"]) for key in keys if key["issuer"] == here.issuer}
