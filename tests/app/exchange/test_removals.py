"""A device is told to remove everything, and says when it has; 18.1."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.activation.services import restore_device
from app.audit import Act
from app.clock import MINUTE, SECOND
from app.models import AuditEntry, Device, DeviceState
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import Established
from protocol.notice import Notice
from protocol.removal import check_noted, read_removed, removed, removed_of
from tests.app.exchange.reporting import Line
from tests.app.service_fixtures import Handset, Service


def refused(act: Callable[[], object]) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as refusal:
        act()
    return refusal.value.code


def activated(service: Service) -> tuple[Handset, Established]:
    handset = service.handset()
    return handset, service.activate(handset, service.issue(service.ann, "mail").document)


def ask_to_wipe(service: Service) -> None:
    """What `app.provisioning.wiping` leaves behind."""
    now = service.clock.now()
    with service.database.write() as session:
        session.execute(
            update(Device).values(wipe_asked_at=now, state=DeviceState.REVOKED, revoked_at=now)
        )


def notice_of(service: Service, handset: Handset, established: Established) -> Notice:
    return Line(service, handset, established.keys[0], established.sub).notice()


def state(service: Service) -> tuple[int | None, int]:
    with service.database.read() as session:
        wiped_at = session.scalars(select(Device.wiped_at)).one()
        acts = session.scalars(select(AuditEntry.act)).all()
    return wiped_at, acts.count(Act.DEVICE_WIPED)


def test_the_device_is_told_and_says_when_it_is_done(service: Service) -> None:
    handset, established = activated(service)
    ask_to_wipe(service)
    notice = notice_of(service, handset, established)
    assert notice.state == "remove"
    service.clock.advance(MINUTE)
    body = removed(notice, handset.identity)
    answer = service.packets.removals.removed(body)
    check_noted(answer, read_removed(body), service.key_set(), service.config.exchange_url)
    assert state(service) == (service.clock.now(), 1)
    service.clock.advance(MINUTE)
    assert service.new_packets().removals.removed(body) == answer
    assert state(service) == (service.clock.now() - MINUTE, 1)


def test_a_revoked_device_that_nobody_asked_is_only_revoked(service: Service) -> None:
    handset, established = activated(service)
    with service.database.write() as session:
        session.execute(update(Device).values(state=DeviceState.REVOKED))
    notice = notice_of(service, handset, established)
    assert notice.state == "revoked"
    assert refused(lambda: service.packets.removals.removed(removed(notice, handset.identity))) is (
        ErrorCode.REFUSED
    )
    assert state(service) == (None, 0)


def test_only_the_device_itself_can_say_so(service: Service) -> None:
    handset, established = activated(service)
    ask_to_wipe(service)
    notice = notice_of(service, handset, established)
    stranger = service.handset("Bob's phone")
    bodies = [
        removed(notice, stranger.identity),
        removed_of(notice.iss, "A" * 22, notice.iat, handset.identity),
        removed_of("https://evil.example", notice.key, notice.iat, handset.identity),
        removed(notice, handset.identity).replace(b'"at":1', b'"at":2'),
    ]
    for body in bodies:
        with pytest.raises(RemoteProtocolError):
            service.packets.removals.removed(body)
    assert state(service) == (None, 0)


def test_an_answer_to_an_earlier_request_does_not_answer_a_later_one(service: Service) -> None:
    handset, established = activated(service)
    ask_to_wipe(service)
    recorded = removed(notice_of(service, handset, established), handset.identity)
    service.packets.removals.removed(recorded)
    service.clock.advance(MINUTE)
    with service.database.read() as session:
        device_id = session.scalars(select(Device.id)).one()
    restore_device(
        service.database,
        person_id=service.ann.person_id,
        device_id=device_id,
        now=service.clock.now(),
    )
    assert state(service)[0] is None
    ask_to_wipe(service)
    assert refused(lambda: service.packets.removals.removed(recorded)) is ErrorCode.REFUSED
    assert state(service)[0] is None
    service.clock.advance(SECOND)
    fresh = removed(notice_of(service, handset, established), handset.identity)
    service.packets.removals.removed(fresh)
    assert state(service)[0] == service.clock.now()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v":1}', b"x" * 70_000])
def test_what_is_no_statement_is_refused(service: Service, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        service.packets.removals.removed(body)
