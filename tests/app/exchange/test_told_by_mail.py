"""Who has a code read out to them is told by mail which device used it."""

from __future__ import annotations

import json

from sqlalchemy import select

from app.models import OutgoingMail
from tests.app.exchange.coding import made, typed
from tests.app.service_fixtures import Service


def mails(service: Service) -> list[OutgoingMail]:
    """What waits for the worker."""
    with service.database.read() as session:
        return list(session.scalars(select(OutgoingMail)))


def test_a_used_code_is_told_once_with_the_device(service: Service) -> None:
    run = typed(service, made(service, None, "mail", "contacts").text)
    assert mails(service) == []
    pending = run.pending(service.exchange.init(run.init, address="192.0.2.7"))
    for _ in range(2):
        # The same confirm again gets the same answer, and no second mail.
        service.exchange.confirm(pending.confirm, address="192.0.2.7")

    [mail] = mails(service)
    assert (mail.kind, mail.address, mail.state) == ("new-device", "ann@example.org", "waiting")
    assert mail.person_id == service.ann.person_id
    assert json.loads(mail.facts) == {"account": "ann@example.org", "device": "Ann's laptop"}


def test_a_document_is_redeemed_by_who_looks_at_its_page(service: Service) -> None:
    service.activate(service.handset(), service.issue(service.ann).document)
    assert mails(service) == []
