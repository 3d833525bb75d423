"""The sweeper: each secret goes when its time is over, and not before."""

import pytest
from sqlalchemy import func, select

from app.activation.services import Swept, make_stock, sweep
from app.activation.status import RUN_LIFETIME
from app.activation.stock import STOCK_DAYS
from app.activation.sweep import ANSWER_LIFETIME
from app.clock import DAY, MINUTE
from app.models import Activation, GrantState, Run, ServiceGrant
from protocol.errors import ErrorCode, RemoteProtocolError
from tests.app.exchange.reporting import activated
from tests.app.exchange.test_rotation import offered
from tests.app.service_fixtures import ADDRESS, Service


def activation(service: Service, activation_id: str) -> Activation:
    with service.database.read() as session:
        return session.get_one(Activation, activation_id)


def test_with_nothing_due_nothing_changes(service: Service) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    service.exchange.init(offer.init)

    assert sweep(service.database, service.clock) == Swept()
    assert activation(service, issued.activation_id).prs_sealed is not None


def test_the_prs_goes_with_the_document(service: Service) -> None:
    issued = service.issue(service.ann)
    service.clock.advance(5 * MINUTE)

    assert sweep(service.database, service.clock) == Swept(documents=1)
    found = activation(service, issued.activation_id)
    assert (found.prs_sealed, found.state) == (None, "open")


def test_an_old_activation_dies_whole(service: Service) -> None:
    issued = service.issue(service.ann)
    service.clock.advance(service.config.activation_days * DAY)

    assert sweep(service.database, service.clock).activations == 1
    found = activation(service, issued.activation_id)
    assert (found.state, found.ended_reason, found.prs_sealed) == ("dead", "expired", None)
    with service.database.read() as session:
        assert list(session.scalars(select(ServiceGrant.state))) == [GrantState.DEAD]


def test_a_runs_secrets_go_after_five_minutes_and_its_reply_after_a_week(
    service: Service,
) -> None:
    issued = service.issue(service.ann)
    offer = service.handset().offer(service, issued.document)
    service.exchange.init(offer.init)
    service.clock.advance(RUN_LIFETIME)

    assert sweep(service.database, service.clock).runs == 1
    with service.database.read() as session:
        assert list(session.scalars(select(Run.secrets_sealed))) == [None]

    service.clock.advance(ANSWER_LIFETIME)
    assert sweep(service.database, service.clock).replies == 1
    with service.database.read() as session:
        assert session.execute(select(func.count()).select_from(Run)).scalar_one() == 0


def test_the_stored_answer_goes_after_a_week(service: Service) -> None:
    handset = service.handset()
    issued = service.issue(service.ann, bound_jkt=handset.identity.kid)
    offer = handset.offer(service, issued.document)
    confirm = offer.pending(service.exchange.init(offer.init)).confirm
    service.exchange.confirm(confirm, address=ADDRESS)
    service.clock.advance(ANSWER_LIFETIME - 1)
    sweep(service.database, service.clock)
    assert service.exchange.confirm(confirm, address=ADDRESS)

    service.clock.advance(1)

    assert sweep(service.database, service.clock).answers == 1
    with pytest.raises(RemoteProtocolError) as caught:
        service.exchange.confirm(confirm, address=ADDRESS)
    assert caught.value.code is ErrorCode.USED


def test_a_rotation_that_led_to_no_key_goes_after_a_week_and_its_successor_stays(
    service: Service,
) -> None:
    line = activated(service)
    given_up = offered(line)
    service.exchange.init(line.initiator(given_up).init())
    service.clock.advance(RUN_LIFETIME)
    new = line.replace(offered(line))
    new.send()
    service.clock.advance(DAY + ANSWER_LIFETIME - RUN_LIFETIME - 1)
    assert sweep(service.database, service.clock).rotations == 0

    service.clock.advance(1)

    assert sweep(service.database, service.clock).rotations == 1
    with service.database.read() as session:
        assert session.get(Activation, given_up.activation) is None
        assert session.get(ServiceGrant, given_up.grant) is None
        assert sorted(session.scalars(select(Activation.kind))) == ["document", "rotation"]
    assert new.send().rotation is None
    assert line.notice().state == "retired"


def test_old_stock_goes(service: Service) -> None:
    make_stock(
        service.database,
        account_service_ids=list(service.ann.services.values()),
        count=100,
        now=service.clock.now(),
        entropy=service.entropy,
        sealer=service.keys.grants,
    )
    service.clock.advance(STOCK_DAYS * DAY)

    # More than one batch.
    assert sweep(service.database, service.clock) == Swept(passwords=300)
    with service.database.read() as session:
        left = select(func.count()).where(ServiceGrant.password_sealed.is_not(None))
        assert session.execute(left).scalar_one() == 0
