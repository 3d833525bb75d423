"""Who gets the document, how it is sent, and who is refused."""

from __future__ import annotations

import re
import shutil

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.models import Activation
from protocol import media_type
from protocol.activation import open_document
from protocol.trust import TrustedIssuer
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import Browser

NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
ACCEPT = {"Accept": f"text/html, {media_type.ACTIVATION};q=0.9, */*;q=0.1"}


def ask(
    browser: Browser, headers: dict[str, str] | None = None, **fields: str | list[str]
) -> TestResponse:
    """Send the form of "Your account" with some fields changed."""
    browser.get("/")
    ticket = re.search(r'name="ticket" value="([^"]+)"', browser.text())
    account = re.search(r'name="account" value="([^"]+)"', browser.text())
    assert ticket is not None
    assert account is not None
    form: dict[str, str | list[str]] = {
        "account": account[1],
        "ticket": ticket[1],
        "service": ["calendar", "mail"],
    }
    return browser.post("/activations", form | fields, headers=NAVIGATION | (headers or {}))


def activations(seeded: Seeded) -> int:
    with seeded.service.database.read() as session:
        return session.scalar(select(func.count()).select_from(Activation)) or 0


def test_an_accept_that_names_the_type_gets_the_document(bare: Seeded) -> None:
    answer = ask(bare.browser(bare.ann), ACCEPT)
    assert answer.status_code == 200
    service = bare.service
    trusted = TrustedIssuer(service.config.issuer, service.key_set())
    document = open_document(answer.data, [trusted]).document
    assert [(grant.account, grant.service) for grant in document.grants] == [
        ("ann@example.org", "mail"),
        ("ann@example.org", "calendar"),
    ]


def test_the_document_is_sent_as_the_specification_says(bare: Seeded) -> None:
    headers = ask(bare.browser(bare.ann), ACCEPT).headers
    assert headers["Content-Type"] == "application/vnd.handfast.activation+jwt"
    assert headers["Content-Disposition"] == 'attachment; filename="activation.handfast"'
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get_all("Content-Security-Policy") == [
        "default-src 'none'; sandbox; frame-ancestors 'self'"
    ]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_button_gets_the_document_without_the_accept(bare: Seeded) -> None:
    answer = ask(bare.browser(bare.ann), {"Sec-Fetch-Dest": "document"}, deliver="document")
    assert answer.content_type == media_type.ACTIVATION


@pytest.mark.parametrize("accept", ["*/*", "application/*", f"{media_type.ACTIVATION};q=0", ""])
def test_any_other_browser_is_led_to_the_page(bare: Seeded, accept: str) -> None:
    ann = bare.browser(bare.ann)
    answer = ask(ann, {"Accept": accept})
    assert answer.status_code == 303
    ann.get(answer.headers["Location"])
    assert "Waiting for your device" in ann.text()


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Site", ""),
        ("Sec-Fetch-Mode", "cors"),
        ("Sec-Fetch-Mode", ""),
        ("Sec-Fetch-Dest", "empty"),
        ("Sec-Fetch-Dest", "frame"),
        ("Origin", "https://evil.example"),
    ],
)
def test_only_a_form_of_our_own_page_gets_it(bare: Seeded, header: str, value: str) -> None:
    answer = ask(bare.browser(bare.ann), ACCEPT | {header: value})
    assert answer.status_code == 403
    assert activations(bare) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"service": "fax"},
        {"ticket": "short"},
        {"ticket": "A" * 21 + "B"},
        {"deliver": "yes"},
        {"admin": "1"},
        {"account": ["one", "two"]},
    ],
)
def test_a_strange_form_is_refused(bare: Seeded, fields: dict[str, str | list[str]]) -> None:
    assert ask(bare.browser(bare.ann), ACCEPT, **fields).status_code == 400
    assert activations(bare) == 0


def test_an_account_of_somebody_else_is_like_a_missing_one(bare: Seeded) -> None:
    bob = bare.browser(bare.service.bob)
    foreign = ask(bob, ACCEPT, account=bare.ann.account_id)
    missing = ask(bob, ACCEPT, account="nothing")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert activations(bare) == 0


def test_no_service_at_all_is_said_on_the_page(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    answer = ask(ann, service=[])
    assert answer.headers["Location"] == "/"
    ann.get("/")
    assert "Choose at least one service" in ann.text()
    ann.get("/devices")
    assert "Choose at least one service" not in ann.text()


def test_pressing_again_waits_under_the_same_activation(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    ticket = "T" * 21 + "A"
    first = ask(ann, ticket=ticket).headers["Location"]
    assert ask(ann, ticket=ticket).headers["Location"] == first


def test_the_page_of_a_replaced_activation_leads_to_its_successor(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    ticket = "T" * 21 + "A"
    first = ask(ann, ticket=ticket).headers["Location"]
    ask(ann, ACCEPT, ticket=ticket)
    answer = ann.get(first)
    assert answer.status_code == 303
    assert answer.headers["Location"] != first


def test_only_the_frame_that_sent_the_form_may_show_the_page(lived_in: Seeded) -> None:
    ann = lived_in.browser(lived_in.ann)
    path = f"/activations/{lived_in.waiting}"
    framed = ann.get(path, headers={"Sec-Fetch-Dest": "iframe"})
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]
    alone = ann.get(path, headers={"Sec-Fetch-Dest": "document"})
    assert "frame-ancestors 'none'" in alone.headers["Content-Security-Policy"]


def test_without_keys_it_is_not_available_and_nothing_is_made(bare: Seeded) -> None:
    shutil.rmtree(bare.service.config.keys_dir / "documents")
    answer = ask(bare.browser(bare.ann), ACCEPT)
    assert answer.status_code == 503
    assert activations(bare) == 0


def test_an_issued_document_says_how_long_it_is_good_itself(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get(f"/activations/{seeded.issued}")
    assert "minutes</time>" in ann.text().partition("<dt>Expires</dt>")[2][:200]
    ann.get(f"/activations/{seeded.waiting}")
    assert "days</time>" in ann.text().partition("<dt>Expires</dt>")[2][:200]


def test_a_waiting_activation_is_finished_without_a_browser_too(seeded: Seeded) -> None:
    ann = seeded.browser(seeded.ann)
    ann.get(f"/activations/{seeded.waiting}")
    assert 'data-copy="handfast activate --waiting"' in ann.text()
    assert 'data-copy="handfast register"' in ann.text()
    assert "Reload this page" in ann.text().partition("</section>")[2]
