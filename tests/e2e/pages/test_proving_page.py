"""Proving an address by mail: no state has a finding, on any screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from app.accounts import challenges
from app.clock import HOUR
from app.models import MailChallenge
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (1280, "light")])
def test_an_address_is_proven_and_no_state_has_a_finding(
    browser: Browser, served: Served, width: int, scheme: str
) -> None:
    service = served.seeded.service
    found: dict[str, object] = {}
    # Earlier mails of this test would count.
    service.clock.advance(HOUR)
    with browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    ) as context:
        served.sign_in(context)
        page = context.new_page()
        page.goto(f"{served.origin}/mail-accounts/{served.seeded.unproven}")
        page.get_by_role("link", name="Prove this address").click()
        found |= look(page, "nothing was sent")
        page.get_by_role("button", name="Send the mail").press("Enter")
        expect(page.get_by_text("is on its way to this address")).to_be_visible()
        found |= look(page, "on its way")
        give_code(served)
        page.reload()
        expect(page.get_by_text("A mail with a code went to this address.")).to_be_visible()
        field = page.get_by_label("Code from the mail")
        expect(field).to_be_focused()
        field.fill("0000-0000")
        field.press("Enter")
        expect(page.get_by_text("You can try 4 more times.").first).to_be_visible()
        found |= look(page, "a wrong code")
    assert found == {}


def give_code(served: Served) -> None:
    """Do what the worker does when the mail goes out."""
    service = served.seeded.service
    with service.database.write() as session:
        for challenge_id in session.scalars(select(MailChallenge.id)).all():
            challenges.give_code(
                session,
                challenge_id,
                keys=service.keys.staff,
                now=service.clock.now(),
                entropy=service.entropy,
            )
