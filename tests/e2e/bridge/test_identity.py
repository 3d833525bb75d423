"""Each trusted portal is told which device asks for a document; nobody else is told anything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page, expect

from plugin.device import Device
from plugin.paths import Paths
from tests.e2e.bridge.registered import handfast
from tests.e2e.bridge.small_portal import Asked, SmallPortal, small_portal
from tests.e2e.bridge.small_service import SmallService, small_service
from tests.e2e.browser import Machine, activate, press, wait_for_no_host, wait_for_stage

pytestmark = pytest.mark.browser

ASK_PLAINLY = "([path, method]) => fetch(path, {method, credentials: 'include'})"
SEND_FORM = """address => {
  const form = Object.assign(document.createElement("form"), {method: "post", action: address});
  document.body.append(form);
  form.submit();
}"""
FORGET_RULES = """async () => {
  const rules = await chrome.declarativeNetRequest.getSessionRules();
  const removeRuleIds = rules.map(({id}) => id);
  await chrome.declarativeNetRequest.updateSessionRules({removeRuleIds});
}"""
A_MINUTE_LATER = "() => { const now = Date.now; Date.now = () => now() + 61_000; }"
RULES = "async () => await chrome.declarativeNetRequest.getSessionRules()"


@pytest.fixture(scope="module")
def second_portal(authority: trustme.CA) -> Iterator[SmallPortal]:
    """Another portal that the device trusts too."""
    with small_portal(authority) as portal:
        yield portal


@pytest.fixture(scope="module")
def second_service(second_portal: SmallPortal) -> Iterator[SmallService]:
    with small_service(second_portal.origin) as service:
        second_portal.make_document = service.document
        yield service


@pytest.fixture
def elsewhere(authority: trustme.CA) -> Iterator[SmallPortal]:
    """A site of somebody the device does not trust."""
    with small_portal(authority, "evil.localhost") as portal:
        yield portal


@pytest.fixture(scope="module")
def machine(machine: Machine, second_service: SmallService) -> Machine:
    """Ann's machine trusts both portals."""
    second_service.become_trusted(machine.device)
    assert handfast(machine, "register", "--user-data-dir", str(machine.profile)).returncode == 0
    return machine


def test_each_portal_is_told_the_name_that_it_knows_and_no_other(
    page: Page, machine: Machine, portal: SmallPortal, second_portal: SmallPortal
) -> None:
    for each in (portal, second_portal):
        page.goto(each.origin + "/")
        page.get_by_role("button", name="Activate this device").click()
        wait_for_stage(page, "asking")
    mine, others = jkt(machine, portal), jkt(machine, second_portal)
    assert mine != others
    assert posts(portal) == [Asked("POST", "/activations", mine)]
    assert posts(second_portal) == [Asked("POST", "/activations", others)]


def test_only_the_form_that_asks_for_a_document_says_it(
    page: Page, portal: SmallPortal, machine: Machine
) -> None:
    portal.media_type = "application/octet-stream"
    page.goto(portal.origin + "/activations")
    page.goto(portal.origin + "/")
    for path, method in (("/activations", "POST"), ("/activations", "GET"), ("/else", "POST")):
        page.evaluate(ASK_PLAINLY, [path, method])
    for path in ("/activations?more=1", "/activations/", "/ACTIVATIONS", "/else"):
        page.goto(portal.origin + "/")
        with page.expect_event("download"):
            page.evaluate(SEND_FORM, path)
    assert {asked.device for asked in portal.asked} == {None}
    with page.expect_event("download"):
        page.evaluate(SEND_FORM, "/activations")
    assert portal.asked[-1].device == jkt(machine, portal)


def test_a_site_that_is_not_trusted_is_told_nothing(
    page: Page, portal: SmallPortal, elsewhere: SmallPortal, machine: Machine
) -> None:
    page.goto(elsewhere.origin + "/")
    with page.expect_download():
        page.get_by_role("button", name="Activate this device").click()
    # Neither where it sends its own form, nor where a portal sends one on to.
    elsewhere.sends_on_to = portal.origin + "/activations"
    page.goto(elsewhere.origin + "/")
    page.get_by_role("button", name="Activate in this tab").click()
    expect(page.get_by_text("Handfast has taken the document.")).to_be_visible()
    elsewhere.sends_on_to = ""
    portal.sends_on_to = elsewhere.origin + "/activations"
    page.goto(portal.origin + "/")
    with page.expect_download():
        page.get_by_role("button", name="Activate in this tab").click()
    assert len(posts(elsewhere)) == 3
    assert {asked.device for asked in elsewhere.asked} == {None}
    assert jkt(machine, portal) not in page.content()


def test_a_portal_that_sends_on_to_another_tells_it_no_foreign_name(
    page: Page, portal: SmallPortal, second_portal: SmallPortal, machine: Machine
) -> None:
    second_portal.asked.clear()
    portal.sends_on_to = second_portal.origin + "/activations"
    page.goto(portal.origin + "/")
    page.get_by_role("button", name="Activate in this tab").click()
    expect(page.get_by_text("Handfast has taken the document.")).to_be_visible()
    (asked,) = posts(second_portal)
    assert asked.device == jkt(machine, second_portal)


def test_the_page_of_a_portal_hears_no_name_either(
    context: BrowserContext, page: Page, portal: SmallPortal, machine: Machine
) -> None:
    consent = activate(context, page)
    consent.get_by_role("button", name="Allow").click()
    wait_for_stage(page, "active")
    assert jkt(machine, portal) not in page.evaluate("JSON.stringify(told)")
    assert jkt(machine, portal) not in page.content()


def test_after_a_change_of_trust_the_old_name_fails_once(
    context: BrowserContext,
    page: Page,
    portal: SmallPortal,
    service: SmallService,
    machine: Machine,
) -> None:
    before = jkt(machine, portal)
    portal.make_document = lambda: service.document(jkt=posts(portal)[-1].device)
    device = device_of(machine)
    device.trust.remove(portal.origin)
    device.forget_issuer(portal.origin)
    service.become_trusted_by(device)
    page.get_by_role("button", name="Activate this device").click()
    told = wait_for_stage(page, "error")
    assert "another device" in told["message"]
    wait_for_rule(context, page, portal, machine)
    press(context, page).close()
    assert [asked.device for asked in posts(portal)] == [before, jkt(machine, portal)]


def test_a_new_name_is_learnt_when_the_portal_is_visited_a_minute_later(
    context: BrowserContext, page: Page, portal: SmallPortal, machine: Machine
) -> None:
    before = jkt(machine, portal)
    device_of(machine).forget_issuer(portal.origin)
    assert jkt(machine, portal) != before
    (worker,) = context.service_workers
    page.reload()
    wait_for_no_host(page, machine)
    assert before in str(worker.evaluate(RULES))
    worker.evaluate(A_MINUTE_LATER)
    page.reload()
    wait_for_rule(context, page, portal, machine)
    assert before not in str(worker.evaluate(RULES))


def test_a_portal_that_is_no_longer_trusted_is_told_nothing(
    context: BrowserContext, page: Page, second_portal: SmallPortal, machine: Machine
) -> None:
    second_portal.asked.clear()
    device = device_of(machine)
    device.trust.remove(second_portal.origin)
    device.forget_issuer(second_portal.origin)
    page.goto(second_portal.origin + "/")
    for _attempt in range(2):
        page.get_by_role("button", name="Activate this device").click()
        wait_for_stage(page, "error")
        wait_for_no_host(page, machine)
        page.reload()
    assert [asked.device is None for asked in posts(second_portal)] == [False, True]
    (worker,) = context.service_workers
    assert second_portal.origin not in str(worker.evaluate(RULES))


def test_a_name_that_the_first_activation_makes_is_told_from_then_on(
    context: BrowserContext, page: Page, portal: SmallPortal, machine: Machine
) -> None:
    # Trust that came from an administrator has made no name yet.
    device_of(machine).forget_issuer(portal.origin)
    (worker,) = context.service_workers
    worker.evaluate(FORGET_RULES)
    activate(context, page).get_by_role("button", name="Allow").click()
    wait_for_stage(page, "active")
    wait_for_rule(context, page, portal, machine)
    press(context, page).close()
    assert [asked.device for asked in posts(portal)] == [None, jkt(machine, portal)]


def jkt(machine: Machine, portal: SmallPortal) -> str:
    """Return the thumbprint of the identity key that the device has towards a portal."""
    return device_of(machine).identity(portal.origin).kid


def device_of(machine: Machine) -> Device:
    return Device.open(Paths.from_environment(machine.environment()))


def posts(portal: SmallPortal) -> list[Asked]:
    return [asked for asked in portal.asked if asked.method == "POST"]


def wait_for_rule(
    context: BrowserContext, page: Page, portal: SmallPortal, machine: Machine
) -> None:
    """Wait until the browser knows the device's present name towards a portal."""
    (worker,) = context.service_workers
    for _attempt in range(100):
        if jkt(machine, portal) in str(worker.evaluate(RULES)):
            return
        page.wait_for_timeout(50)
    raise AssertionError("the browser was not told the name")
