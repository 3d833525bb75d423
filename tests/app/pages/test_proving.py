"""The page on which an address is proven by the code in a mail."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.accounts import challenges
from app.models import MailAccount, MailChallenge
from tests.app.pages.seeded import UNPROVEN, Seeded
from tests.app.portal_fixtures import Browser


def delivered(seeded: Seeded) -> str:
    """Do what the worker does when the mail goes out, and return the code in it."""
    service = seeded.service
    with service.database.write() as session:
        challenge_id = session.scalars(select(MailChallenge.id)).one()
        code = challenges.give_code(
            session,
            challenge_id,
            keys=service.keys.staff,
            now=service.clock.now(),
            entropy=service.entropy,
        )
    assert code is not None
    return code


@pytest.fixture
def ann(lived_in: Seeded) -> Browser:
    """Ann's browser."""
    return lived_in.browser(lived_in.ann)


@pytest.fixture
def path(lived_in: Seeded) -> str:
    """Where Ann proves her unproven account."""
    return f"/mail-accounts/{lived_in.unproven}/prove"


def test_an_unproven_account_is_proven(lived_in: Seeded, ann: Browser, path: str) -> None:
    ann.get(f"/mail-accounts/{lived_in.unproven}")
    assert "This address is not proven" in ann.text()
    assert f'href="{path}"' in ann.text()

    ann.get(path)
    assert "Send the mail" in ann.text()
    assert ann.post(f"{path}/mail").headers["Location"] == path
    ann.get(path)
    assert "is on its way" in ann.text()
    code = delivered(lived_in)
    ann.get(path)
    assert "A mail with a code went to this address." in ann.text()
    done = ann.post(path, {"code": code.lower()})
    assert done.headers["Location"] == f"/mail-accounts/{lived_in.unproven}"
    ann.get(done.headers["Location"])
    assert f"{UNPROVEN} is proven to be yours." in ann.text()
    assert "Its reader answered a mail that was sent to it." in ann.text()
    assert "This address is not proven" not in ann.text()
    # There is nothing left to do on the page.
    assert ann.get(path).status_code == 303


def test_opening_the_link_of_the_mail_does_nothing(
    lived_in: Seeded, ann: Browser, path: str
) -> None:
    ann.get(path)
    ann.post(f"{path}/mail")
    code = delivered(lived_in)
    ann.get(path)
    ann.get(f"{path}?code={code}")
    with lived_in.service.database.read() as session:
        assert session.get_one(MailAccount, lived_in.unproven).proven_at is None
        assert session.scalars(select(MailChallenge.attempts)).one() == 0
    # And a stranger, or a mail scanner, only meets the sign-in.
    stranger = lived_in.app.test_client().get(path, base_url="https://portal.example.test:8443")
    assert "/sign-in" in stranger.headers["Location"]


def test_a_wrong_code_says_how_often_it_can_be_tried(
    lived_in: Seeded, ann: Browser, path: str
) -> None:
    ann.get(path)
    ann.post(f"{path}/mail")
    delivered(lived_in)
    ann.get(path)
    says = []
    for _ in range(6):
        assert ann.post(path, {"code": "0000-0000"}).status_code == 400
        says.append(ann.text())
    assert "You can try 4 more times." in says[0]
    assert "You can try once more." in says[3]
    assert "it was the last try" in says[4]
    assert "No code can be typed any more" in says[5]
    # No field is left for a code that cannot be right.
    assert 'name="code"' not in says[5]


def test_an_empty_field_costs_no_try(lived_in: Seeded, ann: Browser, path: str) -> None:
    ann.get(path)
    ann.post(f"{path}/mail")
    code = delivered(lived_in)
    ann.get(path)
    ann.post(path, {"code": ""})
    assert "Enter the code from the mail." in ann.text()
    assert ann.post(path, {"code": code}).status_code == 303


def test_too_many_mails_are_refused(ann: Browser, path: str) -> None:
    ann.get(path)
    for _ in range(3):
        assert ann.post(f"{path}/mail").status_code == 303
        ann.get(path)
    assert ann.post(f"{path}/mail").status_code == 429


def test_an_address_of_somebody_else_is_not_given(
    lived_in: Seeded, ann: Browser, path: str
) -> None:
    with lived_in.service.database.write() as session:
        session.get_one(MailAccount, "account-bob").address = UNPROVEN
    ann.get(path)
    assert ann.post(f"{path}/mail").status_code == 409
    assert "Somebody else has shown that it is theirs." in ann.text()


def test_somebody_elses_account_is_a_missing_page(lived_in: Seeded, path: str) -> None:
    bob = lived_in.browser(lived_in.service.bob)
    assert bob.get(path).status_code == 404
    bob.get("/")
    assert bob.post(f"{path}/mail").status_code == 404
    assert bob.post(path, {"code": "0000-0000"}).status_code == 404
