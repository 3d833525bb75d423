"""Also the first document after the browser's start is for this device."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import trustme
from playwright.sync_api import BrowserContext, Page, Playwright, expect

from plugin.device import Device
from plugin.paths import Paths
from tests.e2e.bridge.registered import registered_machine
from tests.e2e.bridge.small_portal import Asked, SmallPortal
from tests.e2e.bridge.small_service import SmallService
from tests.e2e.browser import Machine, activate, browser, wait_for_stage

pytestmark = pytest.mark.browser

HELD = "One moment: Handfast is being asked which device this is."


@pytest.fixture
def machine(authority: trustme.CA, service: SmallService) -> Iterator[Machine]:
    """A machine of its own for each test, since its handler is changed and its browser restarts."""
    with registered_machine(authority, service) as machine:
        yield machine


@contextmanager
def busy(machine: Machine) -> Iterator[Callable[[], None]]:
    """Let the machine start no host before the function is called that this yields."""
    launcher = machine.place.launcher
    goes = machine.home / "goes"
    real = launcher.with_name("real")
    launcher.rename(real)
    wait = f"until [ -e {shlex.quote(str(goes))} ]; do sleep 0.05; done"
    launcher.write_text(f'#!/bin/sh\n{wait}\nexec {shlex.quote(str(real))} "$@"\n')
    launcher.chmod(0o755)
    try:
        yield goes.touch
    finally:
        goes.touch()


def test_it_is_bound_when_the_button_is_pressed_at_once(
    playwright: Playwright, machine: Machine, portal: SmallPortal
) -> None:
    with browser(playwright, machine) as context:
        page = opened(context, portal)
        activate(context, page).get_by_role("button", name="Allow").click()
        wait_for_stage(page, "active")
    first = jkt(machine, portal)
    # While the browser is closed the device gets a new name.
    device_of(machine).forget_issuer(portal.origin)
    second = jkt(machine, portal)
    # It takes commands; the bridge may not have begun.
    with browser(playwright, machine, at_once=True) as context:
        page = opened(context, portal)
        page.get_by_role("button", name="Activate this device").click()
        wait_for_stage(page, "asking")
    assert first != second
    assert named(portal) == [first, second]


def test_it_waits_until_the_device_has_said_its_name(
    playwright: Playwright, machine: Machine, portal: SmallPortal
) -> None:
    with busy(machine) as go_on, browser(playwright, machine) as context:
        page = opened(context, portal)
        for _press in range(2):
            page.get_by_role("button", name="Activate this device").click()
        expect(page.get_by_role("status")).to_have_text(HELD)
        assert named(portal) == []
        go_on()
        wait_for_stage(page, "asking")
        expect(page.get_by_role("status")).to_have_count(0)
    assert named(portal) == [jkt(machine, portal)]


def test_it_does_not_wait_for_a_device_that_says_nothing(
    playwright: Playwright, machine: Machine, portal: SmallPortal
) -> None:
    with busy(machine) as go_on, browser(playwright, machine) as context:
        page = opened(context, portal)
        with page.expect_request(portal.origin + "/activations", timeout=15_000):
            page.get_by_role("button", name="Activate this device").click()
        go_on()
        wait_for_stage(page, "asking")
    assert named(portal) == [None]


def test_other_forms_do_not_wait(
    playwright: Playwright, machine: Machine, portal: SmallPortal
) -> None:
    with busy(machine) as go_on, browser(playwright, machine) as context:
        page = opened(context, portal)
        page.evaluate(
            """() => {
              for (const form of document.forms) form.action = "/else";
            }"""
        )
        portal.only_notes = True
        with page.expect_request(portal.origin + "/else"):
            page.get_by_role("button", name="Activate this device").click()
        expect(page.get_by_role("status")).to_have_count(0)
        # The browser ends with its hosts.
        go_on()


def opened(context: BrowserContext, portal: SmallPortal) -> Page:
    """Open the portal's account page, and wait for nothing else."""
    page = context.new_page()
    page.goto(portal.origin + "/")
    return page


def named(portal: SmallPortal) -> list[str | None]:
    """Return which device each document was asked for."""
    asked: list[Asked] = portal.asked
    return [each.device for each in asked if each.method == "POST"]


def jkt(machine: Machine, portal: SmallPortal) -> str:
    """Return the device's present name towards the portal."""
    return device_of(machine).identity(portal.origin).kid


def device_of(machine: Machine) -> Device:
    return Device.open(Paths.from_environment(machine.environment()))
