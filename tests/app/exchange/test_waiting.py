"""A device that used an unbound document waits for its owner, and loses its keys without them."""

import pytest
from sqlalchemy import select

from app.activation.confirmation import expire_unconfirmed
from app.activation.services import confirm_device, sweep
from app.audit import Act
from app.clock import HOUR
from app.models import Device, KeyState
from tests.app.exchange.reporting import Line, activated
from tests.app.exchange.test_packets import acts, stored_key
from tests.app.service_fixtures import Service


def device_of(line: Line) -> Device:
    with line.service.database.read() as session:
        return session.get_one(Device, stored_key(line).device_id)


def confirm(line: Line, *, by: str | None = None) -> bool:
    service = line.service
    return confirm_device(
        service.database,
        person_id=by or service.ann.person_id,
        device_id=device_of(line).id,
        now=service.clock.now(),
    )


def test_a_waiting_device_gets_neither_book_nor_rotation(service: Service) -> None:
    line = activated(service, bound=False)

    answer = line.send(rotate=True)

    assert (answer.waiting, answer.book, answer.rotation) == (True, None, None)


def test_a_confirmed_device_gets_what_was_held_back(service: Service) -> None:
    line = activated(service, bound=False)
    line.send(rotate=True)

    assert confirm(line)

    answer = line.send()
    assert not answer.waiting
    assert answer.book is not None
    assert answer.rotation is not None
    assert confirm(line)
    assert acts(service).count(Act.DEVICE_CONFIRMED) == 1


def test_a_bound_document_confirms_the_device(service: Service) -> None:
    line = activated(service, bound=False)
    service.clock.advance(HOUR)

    activated(service, line.handset)

    assert device_of(line).confirmed_at == service.clock.now()
    assert device_of(line).confirm_by is None
    assert not line.send().waiting


def test_a_confirmed_device_stays_so(service: Service) -> None:
    line = activated(service)
    first = device_of(line).confirmed_at
    service.clock.advance(HOUR)

    activated(service, line.handset, bound=False)

    assert (device_of(line).confirmed_at, device_of(line).confirm_by) == (first, None)


def test_the_time_counts_from_the_first_key(service: Service) -> None:
    line = activated(service, bound=False)
    until = device_of(line).confirm_by
    assert until == service.clock.now() + 24 * HOUR
    service.clock.advance(HOUR)

    activated(service, line.handset, bound=False)

    assert device_of(line).confirm_by == until


def test_nobody_else_can_confirm(service: Service) -> None:
    line = activated(service, bound=False)

    assert not confirm(line, by=service.bob.person_id)
    assert line.send().waiting


@pytest.mark.parametrize("swept", [True, False])
def test_without_its_owner_it_loses_its_keys(service: Service, swept: bool) -> None:
    line = activated(service, bound=False)
    line.send()
    service.clock.advance(24 * HOUR - 1)
    assert line.send().waiting
    service.clock.advance(1)
    assert not confirm(line)
    if swept:
        assert sweep(service.database, service.clock).devices == 1

    assert line.notice().state == "revoked"

    assert not confirm(line)
    assert device_of(line).confirmed_at is None
    ended = stored_key(line)
    assert (ended.state, ended.ended_reason) == (KeyState.REVOKED, "unconfirmed")
    assert ended.key_sealed is None
    assert acts(service)[-1] == Act.KEY_REVOKED
    assert sweep(service.database, service.clock).devices == 0


@pytest.mark.parametrize("swept", [True, False])
def test_a_bound_document_does_not_revive_keys_that_are_over(service: Service, swept: bool) -> None:
    line = activated(service, bound=False)
    service.clock.advance(24 * HOUR)
    if swept:
        sweep(service.database, service.clock)

    again = activated(service, line.handset, bound=True)

    assert line.notice().state == "revoked"
    assert not again.send().waiting
    assert device_of(again).confirmed_at == service.clock.now()


@pytest.mark.parametrize("swept", [True, False])
def test_it_may_come_back_and_is_asked_about_again(service: Service, swept: bool) -> None:
    line = activated(service, bound=False)
    service.clock.advance(24 * HOUR)
    if swept:
        sweep(service.database, service.clock)

    again = activated(service, line.handset, bound=False)

    assert again.send().waiting
    assert device_of(again).confirm_by == service.clock.now() + 24 * HOUR
    assert confirm(again)
    assert line.notice().state == "revoked"


def test_nobody_ends_the_wait_before_its_time(service: Service) -> None:
    line = activated(service, bound=False)
    confirmed = activated(service, service.handset("Ann's phone"))

    for one, now in ((line, service.clock.now()), (confirmed, service.clock.now() + 100 * HOUR)):
        with service.database.write_connection() as connection:
            assert not expire_unconfirmed(connection, device_of(one).id, now=now)

    assert stored_key(line).state == stored_key(confirmed).state == KeyState.ACTIVE


def test_one_person_confirms_for_themselves_only(service: Service) -> None:
    line = activated(service, bound=False)
    issued = service.issue(service.bob, bound_jkt=line.handset.identity.kid)

    service.activate(line.handset, issued.document)

    assert line.send().waiting
    with service.database.read() as session:
        waiting = session.scalars(select(Device.confirmed_at)).all()
    assert sorted(one is None for one in waiting) == [False, True]
