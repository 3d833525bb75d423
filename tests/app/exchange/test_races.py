"""Requests at the same moment: one wins, the others are told so, nothing is done twice."""

from sqlalchemy import func, select

from app.models import Activation, Run, ServiceKey
from protocol.errors import ErrorCode
from tests.app.service_fixtures import ADDRESS, Service
from tests.app.together import together


def test_the_same_init_eight_times_at_once_is_one_run(service: Service) -> None:
    issued = service.issue(service.ann)
    init = service.handset().offer(service, issued.document).init
    processes = [service.new_exchange() for _ in range(8)]

    outcomes = together(*(lambda one=one: one.init(init) for one in processes))

    assert len(outcomes) == 8
    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], bytes)
    with service.database.read() as session:
        assert session.get_one(Activation, issued.activation_id).attempts == 1
        assert session.execute(select(func.count()).select_from(Run)).scalar_one() == 1


def test_of_eight_different_inits_at_once_five_are_answered(service: Service) -> None:
    issued = service.issue(service.ann)
    handset = service.handset()
    inits = [handset.offer(service, issued.document).init for _ in range(8)]

    outcomes = together(*(lambda init=init: service.exchange.init(init) for init in inits))

    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 5
    assert outcomes.count(ErrorCode.REFUSED) == 3


def test_of_two_devices_confirming_at_once_one_owns_the_keys(service: Service) -> None:
    document = service.issue(service.ann, "mail", "contacts").document
    confirms = []
    for name in ("Ann's laptop", "Thief"):
        offer = service.handset(name).offer(service, document)
        confirms.append(offer.pending(service.exchange.init(offer.init)).confirm)

    outcomes = together(
        *(lambda one=one: service.exchange.confirm(one, address=ADDRESS) for one in confirms)
    )

    assert outcomes.count(ErrorCode.USED) == 1
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
    with service.database.read() as session:
        devices = list(session.scalars(select(ServiceKey.device_id)))
    assert len(devices) == 2
    assert len(set(devices)) == 1


def test_the_same_confirm_six_times_at_once_is_answered_alike(service: Service) -> None:
    offer = service.handset().offer(service, service.issue(service.ann).document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    processes = [service.new_exchange() for _ in range(6)]

    outcomes = together(
        *(lambda one=one: one.confirm(confirm, address=ADDRESS) for one in processes)
    )

    assert len(outcomes) == 6
    assert len(set(outcomes)) == 1
    assert isinstance(outcomes[0], bytes)


def test_a_reissue_and_a_confirm_at_once_leave_one_of_them(service: Service) -> None:
    first = service.issue(service.ann, ticket="t" * 22)
    offer = service.handset().offer(service, first.document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm

    outcomes = together(
        lambda: service.exchange.confirm(confirm, address=ADDRESS),
        lambda: service.issue(service.ann, ticket="t" * 22).document,
    )

    with service.database.read() as session:
        state = session.get_one(Activation, first.activation_id).state
        made = session.execute(select(func.count()).select_from(ServiceKey)).scalar_one()
    confirmed = isinstance(outcomes[0], bytes)
    assert (state, made) == (("redeemed", 1) if confirmed else ("dead", 0))
