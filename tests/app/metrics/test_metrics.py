"""Numbers for monitors: behind a token, about everything, and about nobody."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.clock import MINUTE
from app.extensions import of
from app.models import DailyCount, PresentCount, Reach, StaffRole, WorkerJob
from app.rights import Permission, permissions_of
from app.staff.reach import Actor
from app.statistics.names import Daily, Present
from app.tokens import services as tokens
from tests.app.pages.seeded import Seeded
from tests.app.portal_fixtures import ISSUER
from tests.app.webadmin.desk import hire, staff_at_desk

EXPECTED = {
    "handfast_requests",
    "handfast_request_seconds",
    "handfast_mail_checks",
    "handfast_throttled",
    "handfast_database_errors",
    "handfast_database_up",
    "handfast_activations",
    "handfast_activations_ended",
    "handfast_sign_ins_failed",
    "handfast_people",
    "handfast_devices",
    "handfast_keys",
    "handfast_activations_open",
    "handfast_audit_position",
    "handfast_audit_waiting",
    "handfast_audit_lag_seconds",
    "handfast_mail_waiting",
    "handfast_mail_standing_seconds",
    "handfast_webhooks_waiting",
    "handfast_job_last_run_seconds",
    "handfast_job_failing",
}

LABELS = {
    *("endpoint", "status", "le", "outcome", "step", "why"),
    *("cause", "state", "platform", "age", "job"),
}


def token(bare: Seeded, *scopes: Permission, role: StaffRole = StaffRole.ADMINISTRATOR) -> str:
    """Make a token of a member of staff."""
    staff_id = hire(bare.app, role)
    actor = Actor(f"staff:{staff_id}", permissions_of(role), Reach.EVERYONE, staff_id, role)
    service = bare.service
    with service.database.write() as session:
        return tokens.make(
            session,
            actor,
            name="Monitor",
            scopes=scopes,
            days=1,
            now=service.clock.now(),
            entropy=service.entropy,
        ).text


def fetch(bare: Seeded, shown: str, path: str = "/metrics") -> TestResponse:
    """Ask as a monitor does."""
    headers = {"Authorization": f"Bearer {shown}"} if shown else {}
    return bare.app.test_client().get(path, base_url=ISSUER, headers=headers)


def numbers(bare: Seeded, shown: str) -> dict[str, float]:
    """Return every sample, by name and labels."""
    answer = fetch(bare, shown)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return {
        " ".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.get_data(as_text=True))
        for sample in family.samples
    }


@pytest.fixture
def monitor(bare: Seeded) -> str:
    return token(bare, Permission.METRICS_READ)


def test_everything_is_there(bare: Seeded, monitor: str) -> None:
    fetch(bare, monitor)
    families = text_string_to_metric_families(fetch(bare, monitor).get_data(as_text=True))
    # The library adds when each counter was made.
    made = {family.name for family in families if not family.name.endswith("_created")}
    assert made == EXPECTED


def test_nobody_is_answered_without_a_token(bare: Seeded) -> None:
    answer = fetch(bare, "")
    assert (answer.status_code, answer.get_json()["code"]) == (401, "sign-in-needed")


def test_a_token_for_something_else_is_refused(bare: Seeded) -> None:
    answer = fetch(bare, token(bare, Permission.PEOPLE_SEE))
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not-permitted")


def test_a_session_of_staff_opens_nothing(bare: Seeded) -> None:
    assert staff_at_desk(bare.app, StaffRole.OWNER).get("/metrics").status_code == 401


def test_requests_are_counted_by_endpoint_and_status(bare: Seeded, monitor: str) -> None:
    client = bare.app.test_client()
    client.get("/sign-in", base_url=ISSUER)
    client.get("/nowhere/" + "x" * 22, base_url=ISSUER)
    found = numbers(bare, monitor)
    assert found["handfast_requests_total accounts.sign_in 200"] == 1
    assert found["handfast_requests_total unknown 404"] == 1
    assert found["handfast_request_seconds_count accounts.sign_in"] == 1


def test_what_the_dashboard_counts_is_there(bare: Seeded, monitor: str) -> None:
    with bare.service.database.write() as session:
        for day in (1, 2):
            session.add(DailyCount(day=day, what=Daily.ACTIVATIONS, label="active", count=day))
        session.add(PresentCount(what=Present.WAITING, label="a day", count=7))
    found = numbers(bare, monitor)
    assert found["handfast_activations_total active"] == 3
    assert found["handfast_activations_open a day"] == 7


def test_the_sealers_lag_is_there(bare: Seeded, monitor: str) -> None:
    bare.service.clock.advance(2 * MINUTE)
    found = numbers(bare, monitor)
    assert found["handfast_audit_waiting"] > 0
    assert found["handfast_audit_lag_seconds"] == 120


def test_jobs_of_the_worker_are_there(bare: Seeded, monitor: str) -> None:
    with bare.service.database.write() as session:
        session.add(WorkerJob(name="audit", ran_at=5_000_000, has_failed=True))
    found = numbers(bare, monitor)
    assert found["handfast_job_last_run_seconds audit"] == 5
    assert found["handfast_job_failing audit"] == 1


def test_a_database_without_tables_is_a_number(bare: Seeded, monitor: str) -> None:
    with bare.service.database.write_connection() as connection:
        connection.execute(text("ALTER TABLE worker_job RENAME TO elsewhere"))
    found = numbers(bare, monitor)
    assert found["handfast_database_up"] == 0
    assert "handfast_audit_waiting" not in found


def test_a_refusal_and_a_database_that_is_away_are_counted(bare: Seeded, monitor: str) -> None:
    metrics = of(bare.app).metrics
    metrics.count_throttled()
    metrics.count_database_error()
    metrics.count_mail_check("accepted")
    found = numbers(bare, monitor)
    assert found["handfast_throttled_total"] == 1
    assert found["handfast_database_errors_total"] == 1
    assert found["handfast_mail_checks_total accepted"] == 1


def test_no_label_is_about_anybody(lived_in: Seeded) -> None:
    shown = token(lived_in, Permission.METRICS_READ)
    lived_in.browser(lived_in.ann).get(f"/keys/{lived_in.key}")
    answer = fetch(lived_in, shown).get_data(as_text=True)
    for personal in ("ann", "example.org", lived_in.key, lived_in.ann.person_id, "192.0.2"):
        assert personal not in answer
    assert set(re.findall(r"([a-z]+)=\"", answer)) <= LABELS
