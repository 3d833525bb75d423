"""Rotation: a new key beside the old one, which works until the new one is proven."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from app.activation.overview import list_activations
from app.activation.rotation import ask_all_rotations, time_to_rotate
from app.activation.services import ask_rotation, revoke_device, revoke_key, sweep
from app.activation.status import RUN_LIFETIME
from app.activation.sweep import ANSWER_LIFETIME
from app.audit import Act
from app.clock import DAY, MINUTE
from app.exchange.rotations import LIFETIME, WISH_PAUSE
from app.models import Activation, ActivationState, KeyState, Run, ServiceKey
from app.models.tables import SERVICE_KEY
from protocol.channel import Rotation
from protocol.errors import ErrorCode, RemoteProtocolError
from tests.app.exchange.reporting import Line, activated
from tests.app.exchange.test_packets import acts, stored_key
from tests.app.service_fixtures import ADDRESS, Service
from tests.app.together import together


def offered(line: Line) -> Rotation:
    """Report with the wish for a new key, and return the rotation of the answer."""
    rotation = line.send(rotate=True).rotation
    assert rotation is not None
    return rotation


def offered_to_owner(line: Line) -> Rotation:
    """Let the owner ask for a new key, and return the rotation that the next report is offered."""
    service, owner = line.service, line.service.ann.person_id
    now = service.clock.now()
    assert ask_rotation(service.database, person_id=owner, key_id=line.key.key_id, now=now)
    rotation = line.send().rotation
    assert rotation is not None
    return rotation


def confirm_of(line: Line, rotation: Rotation) -> bytes:
    """Run a rotation up to its confirm."""
    initiator = line.initiator(rotation)
    reply = line.service.exchange.init(initiator.init())
    return line.pending(rotation, initiator, reply).confirm


def refused(call: Callable[[], object]) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as caught:
        call()
    return caught.value.code


def state_of(service: Service, rotation: Rotation) -> str:
    with service.database.read() as session:
        return session.get_one(Activation, rotation.activation).state


def test_the_old_key_works_until_the_new_one_is_proven_and_then_leaves_no_secret(
    service: Service,
) -> None:
    old = activated(service)
    new = old.replace(offered(old))
    old.send()
    assert stored_key(old).state == KeyState.ACTIVE

    new.send()

    assert stored_key(new).state == KeyState.ACTIVE
    assert stored_key(old).key_sealed is None
    assert old.notice().state == "retired"
    assert new.key.key != old.key.key
    assert (new.key.account, new.key.service) == (old.key.account, old.key.service)
    assert acts(service)[-5:] == [
        Act.KEY_PROVEN,
        Act.KEY_ROTATION_BEGUN,
        Act.KEY_ROTATED,
        Act.KEY_PROVEN,
        Act.KEY_RETIRED,
    ]


def test_a_rotation_is_offered_when_its_time_has_come_and_not_before(service: Service) -> None:
    line = activated(service)
    assert line.send().rotation is None
    rotate_at = stored_key(line).rotate_at
    assert rotate_at is not None
    service.clock.advance(rotate_at - service.clock.now() - 1)
    assert line.send().rotation is None

    service.clock.advance(1)

    assert line.send().rotation is not None


def test_the_time_is_spread_by_a_tenth() -> None:
    earliest = time_to_rotate(0, 90, entropy=bytes)
    latest = time_to_rotate(0, 90, entropy=lambda length: b"\xff" * length)

    assert earliest == 81 * DAY
    assert 99 * DAY - MINUTE < latest < 99 * DAY


def test_an_owner_can_ask_for_a_new_key(service: Service) -> None:
    line = activated(service)
    key_id, now = line.key.key_id, service.clock.now()
    bob, ann = service.bob.person_id, service.ann.person_id
    database = service.database

    assert not ask_rotation(database, person_id=bob, key_id=key_id, now=now)
    assert line.send().rotation is None
    assert ask_rotation(database, person_id=ann, key_id=key_id, now=now)
    assert ask_rotation(database, person_id=ann, key_id=key_id, now=now)

    assert line.send().rotation is not None
    assert acts(service).count(Act.KEY_ROTATION_ASKED) == 1


def test_a_device_that_wishes_without_end_gets_one_new_key_an_hour(service: Service) -> None:
    line = activated(service)
    line = line.replace(offered(line))
    line.send()

    assert [line.send(rotate=True).rotation for _ in range(10)] == [None] * 10
    service.clock.advance(WISH_PAUSE - 1)
    assert line.send(rotate=True).rotation is None
    service.clock.advance(1)

    assert line.send(rotate=True).rotation is not None


def test_a_new_document_does_not_shorten_the_pause_of_wishes(service: Service) -> None:
    first = activated(service)
    second = first.replace(offered(first))
    second.send()

    third = activated(service, first.handset)

    assert third.send(rotate=True).rotation is None
    other = activated(service, service.handset("Ann's phone"))
    assert other.send(rotate=True).rotation is not None


def test_what_the_owner_asks_for_needs_no_pause(service: Service) -> None:
    line = activated(service)
    for _ in range(2):
        line = line.replace(offered_to_owner(line))
        line.send()


def test_after_a_restore_every_key_is_replaced(service: Service) -> None:
    lines = [activated(service, service.handset(name)) for name in ("laptop", "phone")]
    with service.database.write_connection() as connection:
        assert ask_all_rotations(connection, now=service.clock.now()) == 2

    assert all(line.send().rotation for line in lines)


def test_the_same_rotation_is_offered_while_it_is_under_way(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    assert line.send().rotation == rotation
    service.exchange.init(line.initiator(rotation).init())
    service.clock.advance(RUN_LIFETIME - 1)

    assert offered(line) == rotation


def test_a_rotation_whose_runs_are_old_gives_way_to_another(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    confirm = confirm_of(line, rotation)
    service.clock.advance(RUN_LIFETIME)

    other = offered(line)

    assert other.activation != rotation.activation
    assert state_of(service, rotation) == ActivationState.DEAD
    exchange = service.exchange
    assert refused(lambda: exchange.confirm(confirm, address=ADDRESS)) is ErrorCode.REFUSED
    line.replace(other).send()


def test_a_rotation_that_nobody_took_up_gives_way_to_another(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    service.clock.advance(LIFETIME)

    other = offered(line)

    assert other.activation != rotation.activation
    assert refused(lambda: service.exchange.init(line.initiator(rotation).init())) is (
        ErrorCode.REFUSED
    )


def test_after_a_lost_complete_the_same_confirm_gets_the_same_answer(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    initiator = line.initiator(rotation)
    pending = line.pending(rotation, initiator, service.exchange.init(initiator.init()))
    lost = service.exchange.confirm(pending.confirm, address=ADDRESS)
    service.clock.advance(DAY)

    assert line.send().rotation == rotation
    again = service.exchange.confirm(pending.confirm, address=ADDRESS)

    assert again == lost
    line.successor(pending.receive_complete(again)).send()
    assert stored_key(line).state == KeyState.RETIRED


def test_a_successor_that_nobody_proved_for_a_week_is_retired(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    confirm = confirm_of(line, rotation)
    service.exchange.confirm(confirm, address=ADDRESS)
    service.clock.advance(ANSWER_LIFETIME)
    sweep(service.database, service.clock)

    other = offered(line)

    assert other.activation != rotation.activation
    with service.database.read() as session:
        never = session.scalars(
            select(ServiceKey).where(ServiceKey.activation_id == rotation.activation)
        ).one()
    assert (never.state, never.key_sealed) == (KeyState.RETIRED, None)
    line.replace(other).send()


def test_a_rotation_is_for_the_device_that_holds_the_key(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    thief = Line(service, service.handset("Thief"), line.key, line.sub)

    # The binding is in the key schedule, so that a copied key does not even begin a run.
    init = thief.initiator(rotation).init()

    assert refused(lambda: service.exchange.init(init)) is ErrorCode.REFUSED


def test_another_key_does_not_begin_the_rotation(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    other = activated(service, line.handset)

    init = other.initiator(rotation).init()

    assert refused(lambda: service.exchange.init(init)) is ErrorCode.REFUSED


@pytest.mark.parametrize("what", ["key", "device"])
def test_revocation_ends_the_rotation_too(service: Service, what: str) -> None:
    line = activated(service)
    rotation = offered(line)
    confirm = confirm_of(line, rotation)

    revoke(line, what)

    assert state_of(service, rotation) == ActivationState.DEAD
    exchange = service.exchange
    assert refused(lambda: exchange.confirm(confirm, address=ADDRESS)) is ErrorCode.REFUSED
    with service.database.read() as session:
        assert list(session.scalars(select(Run.secrets_sealed).where(Run.run.is_not(None)))) == [
            None,
            None,
        ]


def test_a_key_that_ended_behind_its_rotation_is_not_replaced(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    confirm = confirm_of(line, rotation)
    with service.database.write_connection() as connection:
        connection.execute(update(SERVICE_KEY).values(state=KeyState.REVOKED, key_sealed=None))

    exchange = service.exchange
    assert refused(lambda: exchange.confirm(confirm, address=ADDRESS)) is ErrorCode.REFUSED
    assert state_of(service, rotation) == ActivationState.DEAD


@pytest.mark.parametrize("what", ["key", "device"])
def test_revocation_takes_a_successor_along_that_nobody_proved(service: Service, what: str) -> None:
    line = activated(service)
    successor = line.replace(offered(line))

    revoke(line, what)

    assert stored_key(successor).state == KeyState.REVOKED
    assert successor.notice().state == "revoked"


def test_a_proven_successor_outlives_its_predecessor(service: Service) -> None:
    line = activated(service)
    successor = line.replace(offered(line))
    successor.send()

    revoke(line, "key")

    assert not successor.send().waiting


def test_a_revocation_and_a_confirm_at_once_leave_no_key(service: Service) -> None:
    line = activated(service)
    confirm = confirm_of(line, offered(line))

    together(
        lambda: service.exchange.confirm(confirm, address=ADDRESS),
        lambda: bytes(revoke(line, "key")),
    )

    with service.database.read() as session:
        assert set(session.scalars(select(ServiceKey.state))) == {KeyState.REVOKED}


def test_two_reports_at_once_are_offered_one_rotation(service: Service) -> None:
    line = activated(service)
    bodies = [line.report(rotate=True) for _ in range(4)]

    together(*(lambda body=body: service.packets.packet(body).body for body in bodies))

    with service.database.read() as session:
        kinds = list(session.scalars(select(Activation.kind)))
    assert kinds.count("rotation") == 1


def test_a_document_for_another_device_does_not_end_a_rotation(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)

    activated(service, service.handset("Ann's phone"))

    assert state_of(service, rotation) == ActivationState.OPEN


def test_a_rotation_is_in_no_list_of_activations(service: Service) -> None:
    line = activated(service)
    offered(line)

    with service.database.read() as session:
        listed = list_activations(session, service.ann.person_id, now=service.clock.now())
    assert len(listed) == 1


def test_the_end_of_a_key_ends_its_rotation(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)

    line.end()

    assert state_of(service, rotation) == ActivationState.DEAD


def revoke(line: Line, what: str) -> bool:
    service, now = line.service, line.service.clock.now()
    owner = service.ann.person_id
    if what == "key":
        return revoke_key(service.database, person_id=owner, key_id=line.key.key_id, now=now)
    device_id = stored_key(line).device_id
    return revoke_device(service.database, person_id=owner, device_id=device_id, now=now)


def test_who_holds_the_key_but_not_the_device_is_told_the_wrong_device(service: Service) -> None:
    line = activated(service)
    rotation = offered(line)
    initiator = line.initiator(rotation)
    thief = Line(service, service.handset("Thief"), line.key, line.sub)
    confirm = thief.pending(rotation, initiator, service.exchange.init(initiator.init())).confirm

    exchange = service.exchange
    assert refused(lambda: exchange.confirm(confirm, address=ADDRESS)) is ErrorCode.WRONG_DEVICE
    assert state_of(service, rotation) == ActivationState.OPEN
