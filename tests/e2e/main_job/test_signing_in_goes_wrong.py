"""Each way in which a mail server does not say yes has its own sentence, and the next try works."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.main_job.installation import BOB, EVERYTHING, PASSWORDS, Installation
from tests.e2e.main_job.steps import enter

pytestmark = EVERYTHING
PASSWORD = "Password of your mail account"


def test_a_wrong_password_is_told_at_the_field_and_the_right_one_works(
    page: Page, portal: Installation
) -> None:
    page.goto(portal.issuer)
    enter(page, "Your mail address", BOB)
    enter(page, PASSWORD, "not his password")
    field = page.get_by_label(PASSWORD)
    expect(field).to_have_accessible_description(
        re.compile("The mail server did not accept this password.")
    )
    expect(field).to_have_value("")
    expect(page.get_by_role("alert")).to_be_focused()
    enter(page, PASSWORD, PASSWORDS[BOB])
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


@pytest.mark.parametrize(
    ("domain", "sentences"),
    [
        (
            "other-name.example",
            (
                "The mail server could not show that it is the right one.",
                "Its certificate is for another name. Your password was not sent.",
            ),
        ),
        (
            "silent.example",
            ("The mail server did not decide in time. The password may be right or wrong.",),
        ),
    ],
    ids=["certificate for another name", "no answer"],
)
def test_a_mail_server_that_is_not_right_has_its_own_sentence(
    page: Page, portal: Installation, domain: str, sentences: tuple[str, ...]
) -> None:
    page.goto(portal.issuer)
    enter(page, "Your mail address", f"ann@{domain}")
    enter(page, PASSWORD, "never sent")
    for sentence in sentences:
        expect(page.get_by_role("main")).to_contain_text(sentence)
    expect(page.get_by_role("main")).not_to_contain_text("did not accept this password")
