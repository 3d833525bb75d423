"""Issuing: whose services, what is replaced, what is used from stock."""

import pytest
from sqlalchemy import func, select

from app.activation.services import (
    NotAllowedError,
    activation_status,
    issue,
    make_stock,
    request_activation,
    revoke_activation,
    ticket_status,
)
from app.activation.stock import STOCK_DAYS
from app.audit import Act
from app.clock import DAY, MINUTE, SECOND
from app.models import Activation, AuditEntry, GrantState, ServiceGrant
from protocol.activation import open_document, validate
from protocol.errors import ErrorCode, RemoteProtocolError
from protocol.service_uid import parse
from protocol.trust import TrustedIssuer
from tests.app.service_fixtures import Owner, Service
from tests.app.together import together

TICKET = "t" * 22


def states(service: Service) -> dict[str, str]:
    with service.database.read() as session:
        return {row.id: row.state for row in session.scalars(select(Activation))}


def grants(service: Service, state: GrantState) -> list[ServiceGrant]:
    with service.database.read() as session:
        return list(session.scalars(select(ServiceGrant).where(ServiceGrant.state == state)))


def wait_for(service: Service, owner: Owner, ticket: str = TICKET) -> str:
    return request_activation(
        service.database,
        person_id=owner.person_id,
        account_service_ids=[owner.services["mail"]],
        ticket=ticket,
        now=service.clock.now(),
        entropy=service.entropy,
        config=service.config,
    )


def stage(service: Service, activation_id: str) -> str:
    status = activation_status(
        service.database,
        person_id=service.ann.person_id,
        activation_id=activation_id,
        now=service.clock.now(),
    )
    assert status is not None
    return status.stage


def test_the_document_names_what_was_chosen_in_that_order(service: Service) -> None:
    issued = service.issue(service.ann, "mail", "calendar")
    trusted = TrustedIssuer(service.config.issuer, service.key_set())

    verified = open_document(issued.document, [trusted])
    validate(
        verified,
        origin=service.config.issuer,
        device_jkt="any",
        now=service.now_seconds,
        seen=lambda _: False,
    )

    claims = verified.document
    assert [(grant.account, grant.service) for grant in claims.grants] == [
        ("ann@example.org", "mail"),
        ("ann@example.org", "calendar"),
    ]
    assert claims.jti == issued.activation_id
    assert claims.exp * SECOND == issued.expires_at == service.clock.now() + 5 * MINUTE
    assert {parse(grant.service_uid).shard for grant in claims.grants} == {0}
    assert len({grant.password for grant in claims.grants}) == 2


@pytest.mark.parametrize("chosen", ["bobs", "unknown", "none", "mixed"])
def test_only_ones_own_services_are_issued(service: Service, chosen: str) -> None:
    mine, bobs = service.ann.services["mail"], service.bob.services["mail"]
    ids = {"bobs": [bobs], "unknown": ["x" * 22], "none": [], "mixed": [mine, bobs]}[chosen]

    with pytest.raises(NotAllowedError):
        issue(
            service.database,
            person_id=service.ann.person_id,
            account_service_ids=ids,
            ticket=TICKET,
            now=service.clock.now(),
            entropy=service.entropy,
            keys=service.keys,
            config=service.config,
        )
    assert states(service) == {}


def test_the_same_ticket_again_kills_the_earlier_document_whole(service: Service) -> None:
    first = service.issue(service.ann, "mail", "contacts", ticket=TICKET)
    offer = service.handset().offer(service, first.document)

    second = service.issue(service.ann, "calendar", ticket=TICKET)

    assert states(service) == {first.activation_id: "dead", second.activation_id: "open"}
    with service.database.read() as session:
        assert session.get_one(Activation, first.activation_id).prs_sealed is None
    assert len(grants(service, GrantState.DEAD)) == 2
    with pytest.raises(RemoteProtocolError) as caught:
        service.exchange.init(offer.init)
    assert caught.value.code is ErrorCode.REFUSED


def test_a_shared_service_kills_the_earlier_document_and_others_stay(service: Service) -> None:
    overlapping = service.issue(service.ann, "mail", "contacts")
    apart = service.issue(service.ann, "calendar")
    bobs = service.issue(service.bob, "mail")

    new = service.issue(service.ann, "mail")

    assert states(service) == {
        overlapping.activation_id: "dead",
        apart.activation_id: "open",
        bobs.activation_id: "open",
        new.activation_id: "open",
    }


def test_four_presses_at_once_leave_one_document(service: Service) -> None:
    def press() -> bytes:
        return service.issue(service.ann, "mail", ticket=TICKET).document

    together(press, press, press, press)

    assert sorted(states(service).values()) == ["dead", "dead", "dead", "open"]


def test_stock_is_used_first_and_its_password_leaves_the_database(service: Service) -> None:
    made = make_stock(
        service.database,
        account_service_ids=[service.ann.services["mail"]],
        count=2,
        now=service.clock.now(),
        entropy=service.entropy,
        sealer=service.keys.grants,
    )
    stocked = {grant.id for grant in grants(service, GrantState.STOCKED)}

    issued = service.issue(service.ann, "contacts", "mail")

    used = [grant for grant in grants(service, GrantState.ISSUED) if grant.id in stocked]
    assert made == 2
    assert [(grant.password_sealed, grant.position) for grant in used] == [(None, 1)]
    assert len(grants(service, GrantState.STOCKED)) == 1
    assert len(service.activate(service.handset(), issued.document).keys) == 2


def test_old_stock_is_not_used(service: Service) -> None:
    make_stock(
        service.database,
        account_service_ids=[service.ann.services["mail"]],
        count=1,
        now=service.clock.now(),
        entropy=service.entropy,
        sealer=service.keys.grants,
    )
    service.clock.advance(STOCK_DAYS * DAY)

    service.issue(service.ann, "mail")

    assert len(grants(service, GrantState.STOCKED)) == 1


def test_a_waiting_activation_is_taken_over_by_its_document(service: Service) -> None:
    waiting = wait_for(service, service.ann)
    assert stage(service, waiting) == "waiting"
    assert wait_for(service, service.ann) == waiting

    issued = service.issue(service.ann, "mail", ticket=TICKET)

    assert states(service) == {waiting: "dead", issued.activation_id: "open"}
    assert stage(service, waiting) == "issued"


def test_waiting_does_not_kill_a_document_under_way(service: Service) -> None:
    issued = service.issue(service.ann, "mail")

    wait_for(service, service.ann)

    assert states(service)[issued.activation_id] == "open"


def test_the_stages_follow_the_exchange(service: Service) -> None:
    issued = service.issue(service.ann, "mail", ticket=TICKET)
    seen = [stage(service, issued.activation_id)]
    offer = service.handset().offer(service, issued.document)
    pending = offer.pending(service.exchange.init(offer.init))
    seen.append(stage(service, issued.activation_id))
    service.exchange.confirm(pending.confirm, address="192.0.2.7")
    seen.append(stage(service, issued.activation_id))

    assert seen == ["issued", "taken", "active"]


def test_an_untaken_document_is_shown_as_expired(service: Service) -> None:
    issued = service.issue(service.ann, "mail")
    service.clock.advance(5 * MINUTE)

    assert stage(service, issued.activation_id) == "expired"


def test_a_revoked_activation_is_dead(service: Service) -> None:
    issued = service.issue(service.ann, "mail")

    revoke_activation(
        service.database,
        person_id=service.ann.person_id,
        activation_id=issued.activation_id,
        now=service.clock.now(),
    )

    assert stage(service, issued.activation_id) == "dead"
    assert states(service) == {issued.activation_id: "dead"}


def test_nobody_sees_the_status_of_somebody_elses_activation(service: Service) -> None:
    issued = service.issue(service.ann, "mail", ticket=TICKET)
    bob, now = service.bob.person_id, service.clock.now()

    assert ticket_status(service.database, person_id=bob, ticket=TICKET, now=now) is None
    assert (
        activation_status(
            service.database, person_id=bob, activation_id=issued.activation_id, now=now
        )
        is None
    )


def test_every_issue_is_audited(service: Service) -> None:
    issued = service.issue(service.ann, "mail")

    with service.database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
        count = session.execute(select(func.count()).select_from(AuditEntry)).scalar_one()
    assert count == 1
    assert (entry.act, entry.subject_id, entry.target, entry.actor) == (
        Act.DOCUMENT_ISSUED,
        service.ann.person_id,
        issued.activation_id,
        f"person:{service.ann.person_id}",
    )
