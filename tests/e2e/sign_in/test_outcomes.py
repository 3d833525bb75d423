"""Each way a check of a mail account may end: no accessibility finding, no sideways scrolling."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from app.accounts.mail_checks import ACCEPTED, Step
from app.extensions import of
from app.mailservers.causes import Cause, CertificateFault
from app.models import MailCheck
from tests.app.portal_fixtures import BOB
from tests.e2e.looking import look
from tests.e2e.pages.serving import Served

pytestmark = pytest.mark.browser

# What the page is called, and the row that makes the portal show it.
OUTCOMES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("The mail server cannot be reached.", {"outcome": Cause.NOT_REACHABLE}),
    ("The mail server did not decide in time.", {"outcome": Cause.UNDECIDED}),
    ("Many people are signing in at the moment.", {"outcome": Cause.BUSY}),
    (
        "The mail server could not show that it is the right one.",
        {"outcome": Cause.CERTIFICATE, "detail": CertificateFault.EXPIRED},
    ),
    ("Enter your app password", {"outcome": Cause.NEEDS_APP_PASSWORD}),
    ("This account cannot be used yet", {"outcome": Cause.NEEDS_PROVIDER_SIGN_IN}),
    ("Your mail server said yes", {"outcome": ACCEPTED}),
    (
        "This account could not be checked",
        {"server": "", "stage": Step.FINDING, "outcome": Cause.NOT_REACHABLE},
    ),
    (
        "We found no mail server for this address",
        {"server": "", "stage": Step.FINDING, "outcome": Cause.NAME_NOT_FOUND},
    ),
)


def settle(served: Served, **facts: Any) -> None:
    """Let every check look as if it had ended like this."""
    settled = {"detail": None, "stage": Step.SIGNING_IN, **facts}
    with of(served.seeded.app).database.write() as session:
        session.execute(update(MailCheck).values(**settled))


def begin(page: Page, start: str, address: str) -> None:
    page.goto(start)
    page.get_by_label("Your mail address").fill(address)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password of your mail account")).to_be_visible()


@pytest.mark.parametrize(
    ("width", "scheme", "adding"), [(320, "dark", False), (1280, "light", True)]
)
def test_no_outcome_has_a_finding(
    browser: Browser, served: Served, width: int, scheme: Any, adding: bool
) -> None:
    found: dict[str, object] = {}
    size = {"width": width, "height": 700}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]  # a plain dict
        if adding:
            served.sign_in(context)
        page = context.new_page()
        # The page of an accepted check would go on by itself.
        page.route("**/js/sign-in.js", lambda route: route.abort())
        begin(page, f"{served.origin}/{'accounts/add' if adding else 'sign-in'}", BOB)
        for words, facts in OUTCOMES:
            settle(served, **facts)
            page.goto(page.url)
            expect(page.get_by_role("heading", name=words).first).to_be_visible()
            found |= look(page, words)
    assert found == {}


def test_naming_the_mail_server_has_no_finding(browser: Browser, served: Served) -> None:
    with browser.new_context(viewport={"width": 320, "height": 700}) as context:
        served.sign_in(context)
        page = context.new_page()
        begin(page, f"{served.origin}/accounts/add", BOB)
        settle(served, server="", stage=Step.CREDENTIAL, outcome=None)
        page.goto(page.url)
        page.get_by_role("link", name="Name the mail server").click()
        assert look(page, "the mail server's name") == {}
        page.get_by_label("Mail server (IMAP)").fill("no name")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("alert")).to_be_focused()
        assert look(page, "a name that is none") == {}
        page.get_by_label("Mail server (IMAP)").fill("imap.example.org")
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_text("marked as not proven")).to_be_visible()
        assert look(page, "a password for a named server") == {}


def test_a_failure_of_the_server_is_not_blamed_on_the_password(
    browser: Browser, served: Served
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        begin(page, f"{served.origin}/sign-in", BOB)
        settle(served, outcome=Cause.CERTIFICATE, detail=CertificateFault.EXPIRED)
        page.goto(page.url)
        alert = page.get_by_role("alert")
        expect(alert).to_be_focused()
        expect(alert).to_contain_text("Its certificate has expired. Your password was not sent.")
        expect(page.get_by_label("Password of your mail account")).not_to_have_attribute(
            "aria-invalid", "true"
        )
