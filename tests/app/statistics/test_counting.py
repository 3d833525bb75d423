"""What happens is counted once, under labels that name nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from app.accounts.proof import note_failure
from app.activation.services import request_activation, revoke_activation
from app.activation.sweep import sweep
from app.audit import Act
from app.auditing.reading import detail_of
from app.clock import DAY, HOUR, MINUTE, SECOND
from app.mailservers.causes import Cause
from app.models import AuditEntry, CountingState, MailAccount, MailPin
from app.statistics.counting import count_audit, provider_of
from tests.app.service_fixtures import Service
from tests.app.statistics.counted import count_all, daily, seal_all, today


def wait_for_device(service: Service) -> str:
    service.tickets += 1
    return request_activation(
        service.database,
        account_service_ids=[service.ann.services["mail"]],
        ticket=f"{service.tickets:022d}",
        entropy=service.entropy,
        config=service.config,
        person_id=service.ann.person_id,
        now=service.clock.now(),
    )


def test_an_activation_is_counted_at_every_step(service: Service, tmp_path: Path) -> None:
    wait_for_device(service)
    service.clock.advance(2 * MINUTE)
    document = service.issue(service.ann)
    service.activate(service.handset(), document.document)
    count_all(service, tmp_path)
    assert today(service) == {
        ("activations", "left-waiting"): 1,
        ("activations", "issued"): 1,
        ("activations", "active"): 1,
        ("activations-waited", "5m"): 1,
    }


def test_counting_again_changes_nothing(service: Service, tmp_path: Path) -> None:
    wait_for_device(service)
    count_all(service, tmp_path)
    before = daily(service.database)
    count_all(service, tmp_path)
    assert daily(service.database) == before == {**before}
    assert before


def test_what_another_worker_counted_meanwhile_is_not_counted_twice(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_for_device(service)
    count_all(service, tmp_path)
    wait_for_device(service)
    seal_all(service.database, tmp_path, now=service.clock.now())
    before = daily(service.database)
    real = service.database.write_connection
    told: list[bool] = []

    def overtaken() -> object:
        if not told:
            told.append(True)
            count_audit(service.database, now=service.clock.now())
        return real()

    monkeypatch.setattr(service.database, "write_connection", overtaken)
    count_audit(service.database, now=service.clock.now())
    assert sum(daily(service.database).values()) == sum(before.values()) + 1


def test_an_activation_that_ends_is_counted_by_who_ended_it(
    service: Service, tmp_path: Path
) -> None:
    for actor in (None, "staff:olu", "operator"):
        revoke_activation(
            service.database,
            person_id=service.ann.person_id,
            activation_id=wait_for_device(service),
            now=service.clock.now(),
            actor=actor,
        )
    count_all(service, tmp_path)
    counts = today(service)
    assert counts["activations", "ended"] == 3
    for ending in ("by-person", "by-staff", "by-operator"):
        assert counts["activations-ended", ending] == 1


def test_what_the_sweeper_ends_is_told_and_counted_once(service: Service, tmp_path: Path) -> None:
    service.issue(service.ann)
    service.clock.advance(90 * DAY)
    sweep(service.database, service.clock)
    sweep(service.database, service.clock)
    count_all(service, tmp_path)
    assert today(service) == {("activations", "ended"): 1, ("activations-ended", "expired"): 1}
    with service.database.read() as session:
        told = session.scalars(select(AuditEntry).where(AuditEntry.act == Act.ACTIVATION_ENDED))
        assert [(row.actor, detail_of(row)) for row in told] == [("system", {"ended": "expired"})]


def test_a_document_that_was_tried_too_often_is_told_from_one_that_nobody_took(
    service: Service, tmp_path: Path
) -> None:
    document = service.issue(service.ann).document
    for number in range(5):
        service.exchange.init(service.handset(f"device {number}").offer(service, document).init)
    service.clock.advance(90 * DAY)
    sweep(service.database, service.clock)
    count_all(service, tmp_path)
    assert today(service)["activations-ended", "burnt"] == 1


def test_a_failed_sign_in_is_counted_by_cause_and_provider(
    service: Service, tmp_path: Path
) -> None:
    with service.database.write() as session:
        session.add(
            MailPin(
                domain="example.org",
                host="mail.example.org",
                port=993,
                security="tls",
                username_form="address",
                credential="password",
                ca_pem=None,
                created_at=service.clock.now(),
            )
        )
        note_failure(session, service.ann.address, Cause.WRONG_CREDENTIAL, now=service.clock.now())
    count_all(service, tmp_path)
    assert today(service) == {
        ("sign-ins-failed", "wrong-credential"): 1,
        ("sign-ins-failed-at", "domain:example.org"): 1,
    }


def test_nobody_is_named_by_a_domain_of_their_own() -> None:
    pinned = {"example.org"}
    assert provider_of("ann@example.org", pinned) == "domain:example.org"
    assert provider_of("ann@gmail.com", pinned) == "provider:google"
    assert provider_of("ann@ann-smith.example", pinned) == "other"
    assert provider_of("", pinned) == "other"


def test_the_time_counts_from_when_it_was_first_asked_for(service: Service, tmp_path: Path) -> None:
    wait_for_device(service)
    service.clock.advance(2 * DAY)
    service.issue(service.ann, ticket="A" * 22)
    service.clock.advance(20 * SECOND)
    again = service.issue(service.ann, ticket="A" * 22)
    service.activate(service.handset(), again.document)
    count_all(service, tmp_path)
    assert today(service)["activations-waited", "3d"] == 1


def test_each_day_has_its_own_count(service: Service, tmp_path: Path) -> None:
    wait_for_device(service)
    service.clock.advance(DAY)
    wait_for_device(service)
    count_all(service, tmp_path)
    days = sorted(key[0] for key in daily(service.database))
    assert days == [days[0], days[0] + 1]


def test_a_person_who_is_gone_takes_no_count_along(service: Service, tmp_path: Path) -> None:
    with service.database.write() as session:
        note_failure(session, service.ann.address, Cause.BUSY, now=service.clock.now())
        account = session.get_one(MailAccount, service.ann.account_id)
        account.address = "somebody.else@example.org"
    count_all(service, tmp_path)
    assert today(service)["sign-ins-failed", "busy"] == 1


def test_that_the_worker_is_there_is_noted_once_a_minute(service: Service, tmp_path: Path) -> None:
    def looked_at() -> int:
        with service.database.read() as session:
            return session.scalars(select(CountingState.looked_at)).one()

    count_all(service, tmp_path)
    first = looked_at()
    service.clock.advance(MINUTE - 1)
    count_all(service, tmp_path)
    assert looked_at() == first
    service.clock.advance(HOUR)
    count_all(service, tmp_path)
    assert looked_at() == service.clock.now()
