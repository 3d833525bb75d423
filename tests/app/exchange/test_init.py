"""Init: who is admitted, what is counted, what is answered again."""

import pytest
from sqlalchemy import func, select, update

from app.activation.status import RUN_LIFETIME
from app.clock import MINUTE
from app.keystore.sealing import SealError
from app.models import Activation, Run
from protocol.errors import ErrorCode, RemoteProtocolError
from tests.app.service_fixtures import Entropy, Service


def attempts(service: Service, activation_id: str) -> int:
    with service.database.read() as session:
        return session.execute(
            select(Activation.attempts).where(Activation.id == activation_id)
        ).scalar_one()


def runs(service: Service) -> int:
    with service.database.read() as session:
        return session.execute(select(func.count()).select_from(Run)).scalar_one()


def refused(service: Service, body: bytes) -> ErrorCode:
    with pytest.raises(RemoteProtocolError) as caught:
        service.exchange.init(body)
    return caught.value.code


def test_the_same_init_again_gets_the_same_reply_and_counts_once(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)

    replies = {service.exchange.init(offer.init) for _ in range(3)}

    assert len(replies) == 1
    assert attempts(service, issued.activation_id) == 1


def test_another_process_answers_the_same_init_with_the_stored_reply(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    reply = service.exchange.init(offer.init)

    assert service.new_exchange().init(offer.init) == reply


def test_the_sixth_attempt_is_dead_and_the_fifth_took_the_prs_along(service: Service) -> None:
    issued = service.issue(service.ann)
    handset = service.handset()
    for _ in range(5):
        service.exchange.init(handset.offer(service, issued.document).init)

    sixth = handset.offer(service, issued.document)

    assert refused(service, sixth.init) is ErrorCode.REFUSED
    assert attempts(service, issued.activation_id) == 5
    with service.database.read() as session:
        activation = session.get_one(Activation, issued.activation_id)
        assert activation.prs_sealed is None


def test_the_fifth_run_can_still_be_confirmed(service: Service) -> None:
    issued = service.issue(service.ann)
    handset = service.handset()
    for _ in range(4):
        service.exchange.init(handset.offer(service, issued.document).init)

    established = service.activate(handset, issued.document)

    assert len(established.keys) == 1


def test_an_init_without_the_document_counts_nothing(service: Service) -> None:
    issued = service.issue(service.ann)
    foreign = service.issue(service.bob)
    init = service.handset().offer(service, foreign.document).init
    aimed = init.replace(foreign.activation_id.encode(), issued.activation_id.encode())

    assert refused(service, aimed) is ErrorCode.REFUSED
    assert attempts(service, issued.activation_id) == 0
    assert runs(service) == 0


def test_an_unknown_activation_is_refused_like_a_wrong_admission(service: Service) -> None:
    issued = service.issue(service.ann)
    init = service.handset().offer(service, issued.document).init

    unknown = init.replace(issued.activation_id.encode(), b"A" * 22)

    assert refused(service, unknown) is ErrorCode.REFUSED
    assert runs(service) == 0


def test_a_copied_init_with_another_admission_does_not_get_the_reply(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    service.exchange.init(offer.init)
    head, _, tail = offer.init.partition(b'"admission":"')

    copied = head + b'"admission":"' + b"A" * 86 + tail[86:]

    assert refused(service, copied) is ErrorCode.REFUSED


def test_an_init_without_an_admission_is_refused(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    head, _, _ = offer.init.partition(b',"admission"')

    assert refused(service, head + b"}") is ErrorCode.REFUSED
    assert attempts(service, issued.activation_id) == 0


def test_an_expired_document_is_refused_without_a_sweeper(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    service.clock.advance(5 * MINUTE)

    assert refused(service, offer.init) is ErrorCode.REFUSED


def test_a_replayed_reply_outlives_the_document(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    reply = service.exchange.init(offer.init)
    service.clock.advance(RUN_LIFETIME + MINUTE)

    assert service.exchange.init(offer.init) == reply


def test_a_swapped_prs_does_not_open(service: Service) -> None:
    """Security 30: a ciphertext moved to another row is of no use there."""
    ann, bob = service.issue(service.ann), service.issue(service.bob)
    with service.database.write() as session:
        sealed = session.get_one(Activation, bob.activation_id).prs_sealed
        session.execute(
            update(Activation).where(Activation.id == ann.activation_id).values(prs_sealed=sealed)
        )
    offer = service.handset().offer(service, ann.document)

    with pytest.raises(SealError):
        service.exchange.init(offer.init)


def test_garbage_is_malformed_and_another_suite_is_said_to_be_so(service: Service) -> None:
    issued = service.issue(service.ann)
    init = service.handset().offer(service, issued.document).init

    assert refused(service, Entropy("noise")(200)) is ErrorCode.MALFORMED
    assert refused(service, init.replace(b"CPACE-", b"SPAKE-")) is ErrorCode.UNSUPPORTED_SUITE
