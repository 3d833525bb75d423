"""A person makes a code to type on a device, and reads it off the page."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select

from app.models import Activation, ActivationState, AuditEntry
from protocol.codes import read_code
from tests.app.exchange.coding import PRESS, confirmed, typed
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import Browser

SHOWN = re.compile(r"<span>([0-9A-HJKMNP-TV-Z]{4})</span>")
TICKET = "A" * 22


def make(browser: Browser, bare: Seeded, **changed: object) -> str:
    """Press the button and read the code off the page; empty where none is shown."""
    browser.get("/")
    form = {"account": bare.ann.account_id, "service": ["mail"], "ticket": TICKET, **changed}
    return "-".join(SHOWN.findall(browser.post("/activations/codes", form, headers=PRESS).text))


def newest(bare: Seeded) -> str:
    with bare.service.database.read() as session:
        return session.scalars(select(Activation.id).where(Activation.handle.is_not(None))).one()


def status(browser: Browser, activation_id: str) -> dict[str, object]:
    got = browser.get(f"/activations/{activation_id}/code/status")
    found: dict[str, object] = json.loads(got.text)
    return found


@pytest.fixture
def ann(bare: Seeded) -> Browser:
    return bare.browser(bare.ann)


def test_ann_types_her_own_code(ann: Browser, bare: Seeded) -> None:
    text = make(ann, bare, service=["mail", "contacts"])
    activation_id = newest(bare)
    assert status(ann, activation_id)["stage"] == "open"
    assert ann.get(f"/activations/{activation_id}").status_code == 303
    assert not SHOWN.findall(ann.get(f"/activations/{activation_id}/code").text)
    confirmed(bare.service, typed(bare.service, text))
    told = status(ann, activation_id)
    assert (told["stage"], told["over"]) == ("used", True)
    # The page of the activation shows the words, and asks whose device it is.
    assert ann.get(f"/activations/{activation_id}/code").status_code == 303
    page = ann.get(f"/activations/{activation_id}").text
    assert 'span class="words"' in page


def test_nobody_else_sees_it(ann: Browser, bare: Seeded) -> None:
    make(ann, bare)
    bob = bare.browser(bare.service.bob)
    for part in ("", "/code", "/code/status"):
        assert bob.get(f"/activations/{newest(bare)}{part}").status_code == 404


def test_nobody_makes_one_for_somebody_elses_account(bare: Seeded) -> None:
    bob = bare.browser(bare.service.bob)
    assert make(bob, bare) == ""
    assert bob.page is not None
    assert bob.page.status_code == 404


@pytest.mark.parametrize(
    "changed", [{"service": ["keys"]}, {"ticket": "x"}, {"text": "7K3M"}, {"deliver": "code"}]
)
def test_other_forms_are_refused(ann: Browser, bare: Seeded, changed: dict[str, object]) -> None:
    assert make(ann, bare, **changed) == ""
    assert ann.page is not None
    assert ann.page.status_code == 400


def test_at_least_one_service(ann: Browser, bare: Seeded) -> None:
    assert make(ann, bare, service=[]) == ""
    assert ann.page is not None
    assert ann.page.status_code == 303


def test_a_script_on_the_page_gets_no_code(ann: Browser, bare: Seeded) -> None:
    ann.get("/")
    form = {"account": bare.ann.account_id, "service": ["mail"], "ticket": TICKET}
    fetched = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert ann.post("/activations/codes", form, headers=fetched).status_code == 403


def test_ann_ends_her_code(ann: Browser, bare: Seeded) -> None:
    make(ann, bare)
    activation_id = newest(bare)
    ann.get(f"/activations/{activation_id}/revoke")
    ann.post(f"/activations/{activation_id}/revoke")
    assert status(ann, activation_id)["stage"] == "ended"


def test_her_history_says_so_and_never_the_code(ann: Browser, bare: Seeded) -> None:
    secret = read_code(make(ann, bare)).secret
    page = ann.get("/history").text
    assert "A code to type on a device was made" in page
    assert secret not in page
    with bare.service.database.read() as session:
        assert not any(secret in str(vars(each)) for each in session.scalars(select(AuditEntry)))


def test_ten_codes_in_an_hour_are_enough(ann: Browser, bare: Seeded) -> None:
    assert all(make(ann, bare) for _ in range(10))
    before = newest_of_all(bare)
    assert make(ann, bare) == ""
    assert ann.page is not None
    assert ann.page.status_code == 429
    assert "Too many attempts" in ann.page.text
    assert int(ann.page.headers["Retry-After"]) <= 3601
    # It was counted before one was made: the last one still works.
    assert newest_of_all(bare) == before
    assert make(bare.browser(bare.service.bob), bare, account=bare.service.bob.account_id)


def newest_of_all(bare: Seeded) -> str:
    """The code that is open, of the one account for which codes are made."""
    with bare.service.database.read() as session:
        return session.scalars(
            select(Activation.id).where(
                Activation.handle.is_not(None), Activation.state == ActivationState.OPEN
            )
        ).one()
