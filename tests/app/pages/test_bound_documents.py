"""A document is for the device that the bridge names; without a name it is for no certain one."""

from __future__ import annotations

import pytest

from protocol.activation import open_document
from protocol.trust import TrustedIssuer
from tests.app.pages.seeded import Seeded
from tests.app.pages.test_activation_document import ACCEPT, activations, ask
from tests.app.portal_fixtures import Browser

LAPTOP, TABLET = "L" * 42 + "A", "T" * 42 + "A"
TICKET = "T" * 21 + "A"


def named(jkt: str) -> dict[str, str]:
    return {**ACCEPT, "Handfast-Device": jkt}


def device_of(seeded: Seeded, browser: Browser, headers: dict[str, str]) -> str | None:
    """Ask for a document under the one ticket, and return the device it is for."""
    service = seeded.service
    answer = ask(browser, headers, ticket=TICKET)
    assert answer.status_code == 200
    trusted = TrustedIssuer(service.config.issuer, service.key_set())
    return open_document(answer.data, [trusted]).document.jkt


def test_the_document_is_for_the_device_that_asks(bare: Seeded) -> None:
    assert device_of(bare, bare.browser(bare.ann), named(LAPTOP)) == LAPTOP


def test_where_nobody_says_which_device_it_is_for_none(bare: Seeded) -> None:
    assert device_of(bare, bare.browser(bare.ann), ACCEPT) is None


def test_a_reissue_stays_with_the_device(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    assert device_of(bare, ann, named(LAPTOP)) == LAPTOP
    assert device_of(bare, ann, ACCEPT) == LAPTOP


def test_a_reissue_goes_to_the_device_that_asks_now(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    assert device_of(bare, ann, ACCEPT) is None
    assert device_of(bare, ann, named(LAPTOP)) == LAPTOP
    assert device_of(bare, ann, named(TABLET)) == TABLET


def test_the_ticket_of_somebody_else_binds_nothing(bare: Seeded) -> None:
    assert device_of(bare, bare.browser(bare.ann), named(LAPTOP)) == LAPTOP
    assert device_of(bare, bare.browser(bare.service.bob), ACCEPT) is None


@pytest.mark.parametrize(
    "jkt",
    ["", "L" * 42, "L" * 44, "L" * 43, "L" * 41 + "/A", f"{LAPTOP}, {TABLET}", f"{LAPTOP}=", "é"],
    ids=["empty", "short", "long", "not canonical", "alphabet", "two", "padded", "not ASCII"],
)
def test_a_name_of_another_form_is_refused(bare: Seeded, jkt: str) -> None:
    assert ask(bare.browser(bare.ann), named(jkt)).status_code == 400
    assert activations(bare) == 0
