"""An act on keys that cannot be audited does not happen, and whoever asked hears "later"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import Client

from app.activation.codes import end_code, make_code
from app.activation.confirmation import confirm_device
from app.activation.rotation import ask_rotation
from app.activation.services import restore_device, revoke_device, revoke_key
from app.clock import DAY
from app.database import Database, DatabaseUnavailableError
from app.exchange.wsgi import ExchangeListener
from app.models import Base, Device, KeyState, Reach, ServiceKey, StaffRole
from app.personal.deleting import delete_person
from app.provisioning import services
from app.provisioning.acts import Here
from app.provisioning.inviting import Invite, invite
from app.rights import permissions_of
from app.staff.reach import Actor
from protocol.media_type import EXCHANGE
from tests.app.exchange.reporting import activated
from tests.app.pages.seeded import Seeded
from tests.app.service_fixtures import ADDRESS, Service

Deed = Callable[[], Any]
ADA = Actor(
    "staff:ada", permissions_of("administrator"), Reach.EVERYONE, "ada", StaffRole.ADMINISTRATOR
)
AWAY = ("ALTER TABLE audit RENAME TO audit_away", "ALTER TABLE audit_away RENAME TO audit")
FULL = {
    "sqlite": (
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END",
        "DROP TRIGGER full_disk",
    ),
    "postgresql": (
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit EXECUTE FUNCTION audit_stays()",
        "DROP TRIGGER full_disk ON audit",
    ),
}


@contextmanager
def without_audit(database: Database, how: str) -> Iterator[None]:
    """Take the table away, or let it refuse every row."""
    broken, mended = AWAY if how == "away" else FULL[database.engine.dialect.name]
    run(database, broken)
    try:
        yield
    finally:
        run(database, mended)


def run(database: Database, statement: str) -> None:
    with database.write_connection() as connection:
        connection.execute(text(statement))


def everything_but_the_audit(database: Database) -> dict[str, list[Any]]:
    """Return every row of every table, apart from the audit itself."""
    with database.read_connection() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in Base.metadata.sorted_tables
            if not table.name.startswith("audit")
        }


def issuing(service: Service) -> Deed:
    return lambda: service.issue(service.ann)


def redeeming(service: Service) -> Deed:
    handset = service.handset()
    offer = handset.offer(service, service.issue(service.ann).document)
    pending = offer.pending(service.exchange.init(offer.init))
    return lambda: service.exchange.confirm(pending.confirm, address=ADDRESS)


def proving(service: Service) -> Deed:
    body = activated(service).report()
    return lambda: service.packets.packet(body)


def asking_for_a_new_key(service: Service) -> Deed:
    return about_key(service, ask_rotation)


def beginning_a_rotation(service: Service) -> Deed:
    line = activated(service)
    line.send()
    service.clock.advance(100 * DAY)
    body = line.report()
    return lambda: service.packets.packet(body)


def rotating(service: Service) -> Deed:
    line = activated(service)
    rotation = line.send(rotate=True).rotation
    assert rotation is not None
    initiator = line.initiator(rotation)
    pending = line.pending(rotation, initiator, service.exchange.init(initiator.init()))
    return lambda: service.exchange.confirm(pending.confirm, address=ADDRESS)


def retiring(service: Service) -> Deed:
    line = activated(service)
    rotation = line.send(rotate=True).rotation
    assert rotation is not None
    body = line.replace(rotation).report()
    return lambda: service.packets.packet(body)


def ending_by_the_device(service: Service) -> Deed:
    line = activated(service)
    line.send()
    return line.end


def revoking_a_key(service: Service) -> Deed:
    return about_key(service, revoke_key)


def revoking_a_device(service: Service) -> Deed:
    activated(service)
    return about_device(service, revoke_device)


def restoring_a_device(service: Service) -> Deed:
    activated(service)
    about_device(service, revoke_device)()
    return about_device(service, restore_device)


def confirming_a_device(service: Service) -> Deed:
    activated(service, bound=False)
    return about_device(service, confirm_device)


def making_a_code(service: Service) -> Deed:
    def make() -> str:
        with service.database.write_connection() as connection:
            return make_code(
                connection,
                person_id=service.ann.person_id,
                account_service_ids=[service.ann.services["mail"]],
                made_by="staff:olu",
                now=service.clock.now(),
                entropy=service.entropy,
                keys=service.keys,
                config=service.config,
            ).activation_id

    return make


def ending_a_code(service: Service) -> Deed:
    activation_id = making_a_code(service)()

    def end() -> None:
        with service.database.write_connection() as connection:
            now = service.clock.now()
            ann = service.ann.person_id
            end_code(connection, person_id=ann, activation_id=activation_id, now=now)

    return end


def about_key(service: Service, act: Callable[..., bool]) -> Deed:
    activated(service).send()
    with service.database.read() as session:
        key_id = session.scalars(select(ServiceKey.id)).one()
    ann, now = service.ann.person_id, service.clock.now()
    return lambda: act(service.database, person_id=ann, key_id=key_id, now=now)


def about_device(service: Service, act: Callable[..., bool]) -> Deed:
    with service.database.read() as session:
        device_id = session.scalars(select(Device.id)).one()
    ann, now = service.ann.person_id, service.clock.now()
    return lambda: act(service.database, person_id=ann, device_id=device_id, now=now)


def staff(act: Callable[..., object], *, needs: str) -> Callable[[Service], Deed]:
    """Return how to prepare an act on Ann's behalf, on the person or on her device or key."""

    def prepare(service: Service) -> Deed:
        activated(service).send()
        with service.database.read() as session:
            things = {
                "device": session.scalars(select(Device.id)).one(),
                "key": session.scalars(select(ServiceKey.id)).one(),
            }
        named = [service.ann.person_id, *([things[needs]] if needs in things else [])]

        def do() -> None:
            with service.database.write() as session:
                act(
                    session,
                    ADA,
                    *named,
                    reason="she asked for it",
                    now=service.clock.now(),
                    entropy=service.entropy,
                )

        return do

    return prepare


def inviting(service: Service) -> Deed:
    wanted = Invite("carol@example.org", "Carol", ("mail",), (), None)

    def do() -> None:
        here = Here(service.clock.now(), service.entropy, service.config)
        with service.database.write() as session:
            invite(session, ADA, wanted, reason="she is new", here=here)

    return do


DEEDS = [
    issuing,
    redeeming,
    proving,
    asking_for_a_new_key,
    beginning_a_rotation,
    rotating,
    retiring,
    ending_by_the_device,
    revoking_a_key,
    revoking_a_device,
    restoring_a_device,
    confirming_a_device,
    making_a_code,
    ending_a_code,
    inviting,
    staff(services.revoke_key, needs="key"),
    staff(services.rotate_key, needs="key"),
    staff(services.revoke_device, needs="device"),
    staff(services.wipe_device, needs="device"),
    staff(services.disable, needs="nothing"),
    staff(partial(delete_person, typed="ann@example.org"), needs="nothing"),
]


@pytest.mark.parametrize("how", ["away", "full"])
@pytest.mark.parametrize("prepare", DEEDS)
def test_it_does_not_happen(service: Service, prepare: Callable[[Service], Deed], how: str) -> None:
    deed = prepare(service)
    before = everything_but_the_audit(service.database)
    with without_audit(service.database, how):
        with pytest.raises(DatabaseUnavailableError):
            deed()
        assert everything_but_the_audit(service.database) == before
    # And it does once it can be audited.
    deed()
    assert everything_but_the_audit(service.database) != before


@pytest.mark.parametrize("how", ["away", "full"])
def test_a_device_hears_that_it_may_come_back_later(service: Service, how: str) -> None:
    handset = service.handset()
    offer = handset.offer(service, service.issue(service.ann).document)
    pending = offer.pending(service.exchange.init(offer.init))
    client = Client(ExchangeListener(service.exchange, service.packets))
    with without_audit(service.database, how):
        answer = client.post("/confirm", data=pending.confirm, content_type=EXCHANGE)
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (503, "unavailable")


@pytest.mark.parametrize("how", ["away", "full"])
def test_a_person_hears_that_nothing_was_changed(lived_in: Seeded, how: str) -> None:
    ann = lived_in.browser(lived_in.ann)
    ann.get(f"/keys/{lived_in.key}/revoke")
    with without_audit(lived_in.service.database, how):
        assert ann.post(f"/keys/{lived_in.key}/revoke").status_code == 503
    with lived_in.service.database.read() as session:
        assert session.get_one(ServiceKey, lived_in.key).state == KeyState.ACTIVE
