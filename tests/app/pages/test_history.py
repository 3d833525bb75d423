"""Every act has its sentence, and the history pages from the newest to the oldest."""

from __future__ import annotations

import pytest

from app.audit import Act, record
from app.history.sentences import SENTENCES, sentence
from app.history.services import PER_PAGE
from tests.app.pages.seeded import Seeded


@pytest.mark.parametrize("act", Act)
def test_every_act_has_a_sentence_that_needs_no_facts(seeded: Seeded, act: Act) -> None:
    assert set(SENTENCES) == set(Act)
    with seeded.app.test_request_context():
        told = sentence(act, {})
    assert told.endswith(".")
    assert "{" not in told


def test_facts_are_used_when_they_are_all_there(seeded: Seeded) -> None:
    with seeded.app.test_request_context():
        facts = {"service": "mail", "account": "ann@example.org", "device": "{laptop}"}
        told = sentence(Act.KEY_REVOKED, facts)
    account = "<bdi>ann@example.org</bdi>"
    assert told == f"The key for Mail of {account} on <bdi>{{laptop}}</bdi> was revoked."


def test_names_of_things_are_text_and_not_html(bare: Seeded) -> None:
    with bare.service.database.write() as session:
        record(
            session,
            at=bare.service.clock.now(),
            actor="system",
            act=Act.DEVICE_ACTIVATED,
            subject=bare.ann.person_id,
            target="nothing",
            detail={"device": "<b>bold</b>"},
        )
    ann = bare.browser(bare.ann)
    assert b"<b>bold" not in ann.get("/history").data
    assert "<b>bold</b> was activated." in ann.text()


def test_older_events_are_on_further_pages(bare: Seeded) -> None:
    ann = bare.browser(bare.ann)
    with bare.service.database.write() as session:
        for number in range(PER_PAGE):
            record(
                session,
                at=bare.service.clock.now(),
                actor="operator",
                act=Act.STOCK_MADE,
                subject=bare.ann.person_id,
                detail={"account": f"number {number}"},
            )
    ann.get("/history")
    assert "number 29" in ann.text()
    assert "You signed in" not in ann.text()
    older = ann.text().split('rel="next" href="')[1].split('"')[0]
    ann.get(older)
    assert "You signed in" in ann.text()


@pytest.mark.parametrize("before", ["x", "-1", "0", "9" * 40])
def test_a_strange_page_number_is_the_first_page(seeded: Seeded, before: str) -> None:
    assert seeded.browser(seeded.ann).get(f"/history?before={before}").status_code == 200
