"""Who has a code read out to them is told by mail which device used it."""

from __future__ import annotations

import json

from sqlalchemy import select

from app.mailservers.server import VouchedBy
from app.models import MailAccount, OutgoingMail
from tests.app.exchange.coding import confirmed, made, typed
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


def unproven(service: Service, vouched_by: VouchedBy) -> None:
    """Have nobody know whose the address is that Ann's services belong to."""
    with service.database.write() as session:
        account = session.get_one(MailAccount, service.ann.account_id)
        account.proven_at, account.vouched_by = None, vouched_by


def test_nobody_is_written_to_at_an_address_that_somebody_only_named(service: Service) -> None:
    unproven(service, VouchedBy.MANUAL)
    confirmed(service, typed(service, made(service).text))
    assert mails(service) == []


def test_who_named_it_is_told_at_the_address_that_is_theirs(service: Service) -> None:
    unproven(service, VouchedBy.MANUAL)
    with service.database.write() as session:
        theirs = session.get_one(MailAccount, service.bob.account_id)
        theirs.person_id = service.ann.person_id
    confirmed(service, typed(service, made(service).text))
    [mail] = mails(service)
    assert mail.address == "bob@example.org"
    assert json.loads(mail.facts)["account"] == "ann@example.org"


def test_who_was_set_up_by_staff_is_told(service: Service) -> None:
    unproven(service, VouchedBy.STAFF)
    confirmed(service, typed(service, made(service).text))
    [mail] = mails(service)
    assert mail.address == "ann@example.org"
