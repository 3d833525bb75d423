"""A document made through the bridge is for this device alone: a stolen one is of no use."""

from __future__ import annotations

import base64
import json

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import select

from app.models.tables import ACTIVATION
from plugin.errors import UserError
from plugin.exchange import agreement
from protocol.activation import VerifiedDocument, open_document
from tests.e2e.browser import Machine, press
from tests.e2e.main_job.installation import ANN, EVERYTHING, Installation
from tests.e2e.main_job.steps import (
    device_of,
    wait_until_active,
    words_on_device,
)
from tests.e2e.main_job.test_attacks import open_file, state

pytestmark = EVERYTHING

FOR_ANOTHER = (
    "handfast: error: the document is meant for another device\n"
    'handfast: hint: press "Activate this device" in the browser of this device\n'
)


def test_a_stolen_document_is_refused_by_device_and_service_and_costs_its_owner_nothing(
    context: BrowserContext,
    account_page: Page,
    machine: Machine,
    bobs_machine: Machine,
    portal: Installation,
) -> None:
    consent, document = steal(context, account_page, portal)
    mine = device_of(machine).identity(portal.issuer).kid
    assert claims(document)["cnf"] == {"jkt": mine}
    before = state(machine, bobs_machine, portal)
    stolen = portal.folder / "stolen.handfast"
    stolen.write_bytes(document)
    assert open_file(bobs_machine, stolen) == (4, FOR_ANOTHER)
    assert attempts(portal, document) == 0
    assert force(bobs_machine, document) == "the document is meant for another device"
    assert attempts(portal, document) == 1
    assert state(machine, bobs_machine, portal) == before
    consent.locator("#allow[aria-disabled=false]").click()
    words = wait_until_active(account_page)
    assert words == portal.active_words(ANN)
    assert "your device?" not in account_page.locator("#progress").inner_text()
    assert {*words.values()} <= {*words_on_device(machine, portal).values()}


def test_a_portal_knows_no_name_but_its_own_and_writes_it_on_no_page(
    account_page: Page, machine: Machine, portal: Installation, portal_on_postgresql: Installation
) -> None:
    device = device_of(machine)
    names = {device.identity(each.issuer).kid for each in (portal, portal_on_postgresql)}
    assert len(names) == 2
    assert all(name not in account_page.content() for name in names)


def test_an_unbound_document_is_used_by_anybody_and_its_owner_is_asked(
    account_page: Page, bobs_machine: Machine, portal: Installation
) -> None:
    assert open_file(bobs_machine, portal.issue(ANN, "calendar")) == (0, "")
    account_page.reload()
    question = account_page.get_by_role("region", name="your device?")
    expect(question).to_contain_text("Without an answer its keys end")
    words = words_on_device(bobs_machine, portal)["calendar"]
    expect(question).to_contain_text(words)
    question.get_by_role("link", name="Not you? Revoke").click()
    account_page.get_by_role("button", name="Revoke this device").click()
    expect(account_page.get_by_text("This device was revoked")).to_be_visible()
    account_page.goto(portal.issuer)
    expect(question).to_have_count(0)
    lift_revocation(account_page)


def steal(context: BrowserContext, page: Page, portal: Installation) -> tuple[Page, bytes]:
    """Press the button; return the consent window and a copy of what the portal answered."""
    address = f"{portal.issuer}/activations"
    with page.expect_response(lambda answer: answer.url == address) as answered:
        consent = press(context, page)
    return consent, answered.value.body()


def claims(document: bytes) -> dict[str, object]:
    payload = document.split(b".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + b"=="))
    return found


def force(machine: Machine, document: bytes) -> str:
    """Run the exchange on a device that does not look for whom the document is."""
    device = device_of(machine)
    verified: VerifiedDocument = open_document(document, device.trust.usable(device.clock()))
    record = agreement.agree(verified, device=device)
    with pytest.raises(UserError) as refused:
        agreement.finish(record, device=device)
    device.forget(record.activation)
    return refused.value.message


def attempts(portal: Installation, document: bytes) -> int:
    """Count the runs that the service has seen of this document."""
    query = select(ACTIVATION.c.attempts).where(ACTIVATION.c.id == claims(document)["jti"])
    with portal.database() as database, database.read_connection() as connection:
        return int(connection.execute(query).scalar_one())


def lift_revocation(page: Page) -> None:
    """Let the device come back, for the tests that follow."""
    page.get_by_role("link", name="Devices").click()
    page.get_by_role("listitem").filter(has_text="revoked").get_by_role("link").first.click()
    page.get_by_role("link", name="Allow this device again").click()
    page.get_by_role("button", name="Allow this device again").click()
    expect(page.get_by_role("link", name="Revoke this device")).to_be_visible()
