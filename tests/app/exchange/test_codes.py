"""Typed codes at the exchange: found by their handle, counted, dead after five runs; 15.4."""

from __future__ import annotations

import pytest
from msgspec import UNSET, structs
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from app.activation.account_services import NotAllowedError
from app.activation.codes import end_code, make_code
from app.activation.services import request_activation
from app.audit import Act
from app.clock import MINUTE, SECOND
from app.models import (
    Activation,
    ActivationState,
    AuditEntry,
    Device,
    Invitation,
    InvitationState,
    Run,
    ServiceKey,
)
from protocol.codes import Code, read_code
from protocol.encoding import Bytes64, encode
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.handshake import (
    read_init,
)
from tests.app.exchange.coding import WRONG, confirmed, made, refused, row_of, typed
from tests.app.service_fixtures import ADDRESS, Owner, Service


def acts(service: Service) -> list[tuple[str, str]]:
    with service.database.read() as session:
        rows = session.execute(select(AuditEntry.act, AuditEntry.actor).order_by(AuditEntry.id))
        return [(row.act, row.actor) for row in rows]


def test_a_code_leads_to_the_same_keys_on_both_sides(service: Service) -> None:
    code = made(service, service.ann, "mail", "contacts", made_by="staff:olu")
    run = typed(service, code.text)
    pending = run.pending(service.exchange.init(run.init, address=ADDRESS))
    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    established = pending.receive_complete(complete)
    assert established.sub == service.ann.person_id
    assert [(key.account, key.service) for key in established.keys] == [
        ("ann@example.org", "mail"),
        ("ann@example.org", "contacts"),
    ]
    with service.database.read() as session:
        ids = set(session.scalars(select(ServiceKey.id)))
        device = session.scalars(select(Device)).one()
    assert ids == {key.key_id for key in established.keys}
    # Nobody knows whose hands typed it: the owner is asked.
    assert device.confirmed_at is None
    assert device.confirm_by is not None
    assert acts(service) == [
        (Act.CODE_MADE, "staff:olu"),
        (Act.DEVICE_ACTIVATED, f"device:{device.id}"),
    ]


def test_a_lost_complete_is_answered_again(service: Service) -> None:
    run = typed(service, made(service).text)
    pending = run.pending(service.exchange.init(run.init))
    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    assert service.new_exchange().confirm(pending.confirm, address=ADDRESS) == complete


def test_a_resent_init_is_no_second_run(service: Service) -> None:
    code = made(service)
    run = typed(service, code.text)
    assert len({service.exchange.init(run.init) for _ in range(4)}) == 1
    assert row_of(service, code).attempts == 1


def test_a_wrong_secret_gets_a_reply_and_no_key(service: Service) -> None:
    code = made(service)
    assert refused(lambda: confirmed(service, typed(service, code.text, secret=WRONG))) is (
        ErrorCode.REFUSED
    )
    assert row_of(service, code).state == ActivationState.OPEN
    assert confirmed(service, typed(service, code.text))


def test_five_wrong_secrets_use_a_code_up_also_with_a_restart_between(service: Service) -> None:
    code = made(service)
    for number in range(5):
        run = typed(service, code.text, secret=f"000000{number}")
        exchange = service.new_exchange()
        pending = run.pending(exchange.init(run.init, address=f"192.0.2.{number}"))
        with pytest.raises(RemoteProtocolError, match="tag"):
            service.exchange.confirm(pending.confirm, address=ADDRESS)
    right = typed(service, code.text)
    assert refused(lambda: service.exchange.init(right.init)) is ErrorCode.REFUSED
    row = row_of(service, code)
    assert (row.attempts, row.prs_sealed) == (5, None)
    assert acts(service) == [
        (Act.CODE_MADE, "person:person-ann"),
        (Act.CODE_BURNT, "system"),
    ]


def test_the_fifth_run_may_still_be_the_right_one(service: Service) -> None:
    code = made(service)
    for number in range(4):
        run = typed(service, code.text, secret=f"000000{number}")
        service.exchange.init(run.init)
    assert confirmed(service, typed(service, code.text))


def test_a_code_is_good_for_ten_minutes(service: Service) -> None:
    code = made(service)
    service.clock.advance(10 * MINUTE - SECOND)
    begun = typed(service, code.text)
    pending = begun.pending(service.exchange.init(begun.init))
    service.clock.advance(SECOND)
    late = typed(service, code.text)
    assert refused(lambda: service.exchange.init(late.init)) is ErrorCode.REFUSED
    # The run began in time.
    assert service.exchange.confirm(pending.confirm, address=ADDRESS)


def test_a_run_that_began_in_time_has_five_minutes(service: Service) -> None:
    code = made(service)
    service.clock.advance(10 * MINUTE - SECOND)
    run = typed(service, code.text)
    pending = run.pending(service.exchange.init(run.init))
    service.clock.advance(5 * MINUTE)
    assert refused(lambda: service.exchange.confirm(pending.confirm, address=ADDRESS)) is (
        ErrorCode.REFUSED
    )


def test_a_used_code_is_no_code_any_more(service: Service) -> None:
    code = made(service)
    early = typed(service, code.text, handset=service.handset("Bob's phone"))
    losing = early.pending(service.exchange.init(early.init))
    confirmed(service, typed(service, code.text))
    again = typed(service, code.text)
    assert refused(lambda: service.exchange.init(again.init)) is ErrorCode.REFUSED
    assert refused(lambda: service.exchange.confirm(losing.confirm, address=ADDRESS)) is (
        ErrorCode.REFUSED
    )


def test_a_code_with_an_admission_is_refused(service: Service) -> None:
    code = made(service)
    init = read_init(typed(service, code.text).init)
    admitted = encode(structs.replace(init, admission=Bytes64(bytes(64))))
    assert refused(lambda: service.exchange.init(admitted)) is ErrorCode.REFUSED
    assert row_of(service, code).attempts == 0


def test_a_document_without_admission_is_refused(service: Service) -> None:
    issued = service.issue(service.ann)
    init = read_init(service.handset().offer(service, issued.document).init)
    without = encode(structs.replace(init, admission=UNSET))
    assert refused(lambda: service.exchange.init(without)) is ErrorCode.REFUSED


def test_a_code_is_not_found_by_its_id(service: Service) -> None:
    code = made(service)
    init = read_init(typed(service, code.text).init)
    by_id = encode(structs.replace(init, activation=code.activation_id))
    assert refused(lambda: service.exchange.init(by_id)) is ErrorCode.REFUSED
    assert row_of(service, code).attempts == 0


def test_a_complete_and_a_reply_are_no_confirm_and_no_init(service: Service) -> None:
    run = typed(service, made(service).text)
    reply = service.exchange.init(run.init)
    pending = run.pending(reply)
    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    for body in (reply, complete, run.init):
        with pytest.raises(RemoteProtocolError):
            service.exchange.confirm(body, address=ADDRESS)
    for body in (reply, complete, pending.confirm):
        with pytest.raises(RemoteProtocolError):
            service.exchange.init(body)


def test_the_confirm_of_one_code_does_nothing_for_another(service: Service) -> None:
    first, second = made(service), made(service, service.bob)
    run = typed(service, first.text)
    pending = run.pending(service.exchange.init(run.init))
    other = pending.confirm.replace(
        read_code(first.text).handle.encode(), read_code(second.text).handle.encode(), 1
    )
    assert refused(lambda: service.exchange.confirm(other, address=ADDRESS)) is ErrorCode.REFUSED
    assert row_of(service, second).state == ActivationState.OPEN


def test_a_new_code_ends_the_earlier_one_for_the_same_service_only(service: Service) -> None:
    mail, contacts = made(service), made(service, service.ann, "contacts")
    newer = made(service)
    assert row_of(service, mail).state == ActivationState.DEAD
    assert row_of(service, mail).successor_id == newer.activation_id
    assert row_of(service, contacts).state == ActivationState.OPEN
    assert refused(lambda: service.exchange.init(typed(service, mail.text).init)) is (
        ErrorCode.REFUSED
    )


def test_a_code_that_was_ended_is_refused(service: Service) -> None:
    code = made(service)
    now = service.clock.now()
    with service.database.write_connection() as connection:
        ended = [
            end_code(connection, person_id=owner, activation_id=code.activation_id, now=now)
            for owner in (service.bob.person_id, service.ann.person_id, service.ann.person_id)
        ]
    assert ended == [False, True, False]
    assert refused(lambda: service.exchange.init(typed(service, code.text).init)) is (
        ErrorCode.REFUSED
    )


def test_nobody_makes_a_code_for_somebody_elses_service(service: Service) -> None:
    thief = Owner("person-bob", "account-bob", "bob@example.org", service.ann.services)
    with pytest.raises(NotAllowedError):
        made(service, thief)


def test_codes_have_the_same_handle_one_after_another(service: Service) -> None:
    """The lost answer of the earlier one is found by its run, whatever has its handle now."""
    first = made(service)
    handle = read_code(first.text).handle
    run = typed(service, first.text)
    pending = run.pending(service.exchange.init(run.init))
    complete = service.exchange.confirm(pending.confirm, address=ADDRESS)
    second = made(service, service.bob)
    with service.database.write() as session:
        session.execute(
            update(Activation).where(Activation.id == second.activation_id).values(handle=handle)
        )
    assert service.exchange.confirm(pending.confirm, address=ADDRESS) == complete
    moved = Code(handle, read_code(second.text).secret)
    assert confirmed(service, typed(service, moved, handset=service.handset("Bob's phone")))


def test_two_open_codes_never_share_a_handle(service: Service) -> None:
    first, second = made(service), made(service, service.bob)
    with pytest.raises(IntegrityError), service.database.write() as session:
        session.execute(
            update(Activation)
            .where(Activation.id == second.activation_id)
            .values(handle=read_code(first.text).handle)
        )


def test_a_handle_that_is_taken_is_drawn_again(service: Service) -> None:
    first = made(service)
    drawn = iter([first.text.replace("-", "")[:11], "ABCD0000000"])

    def entropy(length: int) -> bytes:
        if length != 7:
            return service.entropy(length)
        value = 0
        for symbol in next(drawn):
            value = value * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(symbol)
        return (value << 1).to_bytes(7, "big")

    with service.database.write_connection() as connection:
        second = make_code(
            connection,
            person_id=service.bob.person_id,
            account_service_ids=[service.bob.services["mail"]],
            made_by=None,
            now=service.clock.now(),
            entropy=entropy,
            keys=service.keys,
            config=service.config,
        )
    assert second.text.startswith("ABCD")


def test_the_text_is_kept_nowhere(sqlite_service: Service) -> None:
    service = sqlite_service
    code = made(service, made_by="staff:olu")
    confirmed(service, typed(service, code.text))
    secret = read_code(code.text).secret
    assert secret not in repr(code)
    for table in ("activation", "audit", "run", "service_grant", "throttle"):
        with service.database.read_connection() as connection:
            for row in connection.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - names from above
                assert secret not in repr(tuple(row))


def test_what_waited_for_a_device_ends_with_the_code(service: Service) -> None:
    now = service.clock.now()
    waiting = request_activation(
        service.database,
        person_id=service.ann.person_id,
        account_service_ids=[service.ann.services["mail"]],
        ticket="A" * 22,
        now=now,
        entropy=service.entropy,
        config=service.config,
    )
    with service.database.write() as session:
        session.add(
            Invitation(
                id="I" * 21 + "A",
                person_id=service.ann.person_id,
                address="ann@example.org",
                services="mail",
                state=InvitationState.OPEN,
                reason="she rang",
                invited_by="staff:olu",
                created_at=now,
                expires_at=now + 100 * MINUTE,
            )
        )
    code = made(service, made_by="staff:olu")
    with service.database.read() as session:
        assert session.get_one(Activation, waiting).state == ActivationState.OPEN
    confirmed(service, typed(service, code.text))
    with service.database.read() as session:
        ended = session.get_one(Activation, waiting)
        assert (ended.state, ended.successor_id) == (ActivationState.DEAD, code.activation_id)
        assert session.get_one(Invitation, "I" * 21 + "A").state == InvitationState.ACCEPTED


def test_nothing_secret_of_a_code_is_left_after_its_use(service: Service) -> None:
    code = made(service)
    service.exchange.init(typed(service, code.text, secret=WRONG).init)
    confirmed(service, typed(service, code.text))
    assert row_of(service, code).prs_sealed is None
    with service.database.read() as session:
        assert [run.secrets_sealed for run in session.scalars(select(Run))] == [None]
