"""Confirm: one owner, the same answer again, and everything else refused."""

import pytest
from sqlalchemy import func, select

from app.activation.services import (
    activation_status,
    restore_device,
    revoke_activation,
    revoke_device,
    revoke_key,
)
from app.activation.status import RUN_LIFETIME
from app.audit import Act
from app.keystore.places import key_place
from app.models import (
    Activation,
    AuditEntry,
    Device,
    GrantState,
    KeyState,
    Run,
    ServiceGrant,
    ServiceKey,
)
from protocol.errors import ErrorCode, RemoteProtocolError
from tests.app.service_fixtures import ADDRESS, Service


def refused(service: Service, body: bytes) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as caught:
        service.exchange.confirm(body, address=ADDRESS)
    return caught.value.code


def keys(service: Service) -> list[ServiceKey]:
    with service.database.read() as session:
        return list(session.scalars(select(ServiceKey).order_by(ServiceKey.created_at)))


def test_both_sides_hold_the_same_keys_one_per_service(service: Service) -> None:
    issued = service.issue(service.ann, "mail", "calendar")

    established = service.activate(service.handset(), issued.document)

    stored = {key.id: key for key in keys(service)}
    assert set(stored) == {key.key_id for key in established.keys}
    for key in established.keys:
        sealed = stored[key.key_id].key_sealed
        assert sealed is not None
        opened = service.exchange_keys.keys.open(sealed, key_place(key.key_id))
        assert opened == key.key
        assert stored[key.key_id].fingerprint == key.fingerprint


def test_the_page_shows_device_words_address_and_time(service: Service) -> None:
    issued = service.issue(service.ann, "mail")
    established = service.activate(service.handset("Ann's phone"), issued.document)

    status = activation_status(
        service.database,
        person_id=service.ann.person_id,
        activation_id=issued.activation_id,
        now=service.clock.now(),
    )

    assert status is not None
    assert status.to_json() == {
        "state": "redeemed",
        "stage": "active",
        "id": issued.activation_id,
        "device": "Ann's phone",
        "words": [["mail", *established.keys[0].words]],
        "at": service.now_seconds,
        "address": ADDRESS,
        "confirm_by": service.now_seconds + service.exchange_config.confirm_hours * 3600,
    }


def test_the_same_confirm_again_gets_the_same_bytes(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    first = service.exchange.confirm(confirm, address=ADDRESS)
    service.clock.advance(RUN_LIFETIME * 2)

    again = service.new_exchange().confirm(confirm, address="198.51.100.9")

    assert again == first
    assert len(keys(service)) == 1


def test_another_device_finds_the_activation_used(service: Service) -> None:
    document = service.issue(service.ann).document
    stolen = service.handset("Thief").offer(service, document)
    late = stolen.pending(service.exchange.init(stolen.init)).confirm
    service.activate(service.handset(), document)

    assert refused(service, late) is ErrorCode.USED
    assert len(keys(service)) == 1


def test_a_bound_document_is_for_its_device_only(service: Service) -> None:
    mine, other = service.handset("Ann's laptop"), service.handset("Thief")
    issued = service.issue(service.ann, bound_jkt=mine.identity.kid)
    offer = other.offer(service, issued.document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm

    assert refused(service, confirm) is ErrorCode.WRONG_DEVICE
    assert len(service.activate(mine, issued.document).keys) == 1


@pytest.mark.parametrize("member", ["tag", "sealed", "run"])
def test_a_changed_confirm_is_refused_and_changes_nothing(service: Service, member: str) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    place = confirm.index(f'"{member}":"'.encode()) + len(member) + 4
    flipped = b"B" if confirm[place : place + 1] != b"B" else b"C"

    assert refused(service, confirm[:place] + flipped + confirm[place + 1 :]) is ErrorCode.REFUSED
    assert keys(service) == []
    assert service.exchange.confirm(confirm, address=ADDRESS)


def test_a_run_is_over_after_five_minutes_without_a_sweeper(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    service.clock.advance(RUN_LIFETIME)

    assert refused(service, confirm) is ErrorCode.REFUSED


def test_a_run_of_a_reissued_document_is_dead(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann, ticket="t" * 22).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    service.issue(service.ann, ticket="t" * 22)

    assert refused(service, confirm) is ErrorCode.REFUSED


def test_a_revoked_device_can_redeem_nothing_until_it_is_restored(service: Service) -> None:
    handset = service.handset()
    service.activate(handset, service.issue(service.ann).document)
    device_id = keys(service)[0].device_id
    owner, now = service.ann.person_id, service.clock.now()
    assert revoke_device(service.database, person_id=owner, device_id=device_id, now=now)

    offer = handset.offer(service, service.issue(service.ann).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    assert refused(service, confirm) is ErrorCode.DEVICE_REVOKED

    assert restore_device(service.database, person_id=owner, device_id=device_id, now=now)
    assert service.exchange.confirm(confirm, address=ADDRESS)


def test_the_old_key_stays_active_until_the_new_one_is_proven(service: Service) -> None:
    handset = service.handset()
    service.activate(handset, service.issue(service.ann).document)
    service.activate(handset, service.issue(service.ann).document)

    assert [key.state for key in keys(service)] == [KeyState.ACTIVE, KeyState.ACTIVE]
    assert len({key.device_id for key in keys(service)}) == 1


def test_redemption_leaves_no_secret_of_the_run_and_an_audit_row(service: Service) -> None:
    issued = service.issue(service.ann)
    handset = service.handset()
    lost = handset.offer(service, issued.document)
    service.exchange.init(lost.init)
    service.activate(handset, issued.document)

    with service.database.read() as session:
        activation = session.get_one(Activation, issued.activation_id)
        left = list(session.scalars(select(Run)))
        audited = select(AuditEntry.act).where(AuditEntry.subject_id.is_not(None))
        acts = session.scalars(audited.order_by(AuditEntry.id))
        grants = session.scalars(select(ServiceGrant.state))
        assert activation.prs_sealed is None
        assert [(run.run, run.secrets_sealed) for run in left] == [(activation.run, None)]
        assert list(acts) == [Act.DOCUMENT_ISSUED, Act.DEVICE_ACTIVATED]
        assert list(grants) == [GrantState.REDEEMED]


def test_revoking_the_key_forgets_key_and_answer(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)
    pending = offer.pending(service.exchange.init(offer.init))
    service.exchange.confirm(pending.confirm, address=ADDRESS)
    key = keys(service)[0]

    revoked = revoke_key(
        service.database,
        person_id=service.ann.person_id,
        key_id=key.id,
        now=service.clock.now(),
    )

    assert revoked
    assert keys(service)[0].key_sealed is None
    assert refused(service, pending.confirm) is ErrorCode.USED


def test_not_you_revokes_the_keys_and_the_device(service: Service) -> None:
    issued = service.issue(service.ann, "mail", "contacts")
    service.activate(service.handset("Thief"), issued.document)

    revoke_activation(
        service.database,
        person_id=service.ann.person_id,
        activation_id=issued.activation_id,
        now=service.clock.now(),
    )

    assert {key.state for key in keys(service)} == {KeyState.REVOKED}
    with service.database.read() as session:
        assert list(session.scalars(select(Device.state))) == ["revoked"]


def test_bob_cannot_revoke_what_is_anns(service: Service) -> None:
    issued = service.issue(service.ann)
    service.activate(service.handset(), issued.document)
    bob, now, key = service.bob.person_id, service.clock.now(), keys(service)[0]
    database = service.database

    assert not revoke_key(database, person_id=bob, key_id=key.id, now=now)
    assert not revoke_device(database, person_id=bob, device_id=key.device_id, now=now)
    assert not revoke_activation(
        database, person_id=bob, activation_id=issued.activation_id, now=now
    )
    assert keys(service)[0].state == KeyState.ACTIVE


def test_one_device_of_two_people_is_two_rows(service: Service) -> None:
    handset = service.handset()
    service.activate(handset, service.issue(service.ann).document)
    service.activate(handset, service.issue(service.bob).document)

    with service.database.read() as session:
        counted = session.execute(select(func.count()).select_from(Device)).scalar_one()
    assert counted == 2


@pytest.mark.parametrize("name", [" ", "\u200b\u200b", "\u3164", "\U000e0041"])
def test_a_device_without_a_visible_name_gets_one_that_its_owner_can_find(
    sqlite_service: Service, name: str
) -> None:
    issued = sqlite_service.issue(sqlite_service.ann, "mail")

    established = sqlite_service.activate(sqlite_service.handset(name), issued.document)

    with sqlite_service.database.read() as session:
        assert session.scalars(select(Device.name)).all() == [f"device {established.device[:8]}"]
