"""What the database knows, read when a monitor asks; cheap however many people there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.clock import SECOND, Clock
from app.database import Database, DatabaseUnavailableError
from app.metrics.health import Health, read_health
from app.models import (
    DailyCount,
    DeliveryState,
    MailState,
    OutgoingMail,
    PresentCount,
    WebhookDelivery,
    WorkerJob,
)
from app.statistics.names import Daily, Present

Family = CounterMetricFamily | GaugeMetricFamily
# What happened is the sum over all days of what the dashboard counts.
HAPPENED: Final = {
    Daily.ACTIVATIONS: ("handfast_activations", "Activations, by how far they came.", "step"),
    Daily.ENDED: ("handfast_activations_ended", "Activations that ended without a device.", "why"),
    Daily.FAILED: ("handfast_sign_ins_failed", "Failed sign-ins of known accounts.", "cause"),
}
PRESENT: Final = {
    Present.PEOPLE: ("handfast_people", "People.", "state"),
    Present.DEVICES: ("handfast_devices", "Active devices.", "platform"),
    Present.KEYS: ("handfast_keys", "Active keys.", "age"),
    Present.WAITING: ("handfast_activations_open", "Activations that wait for a device.", "age"),
}


class DatabaseCollector(Collector):
    """Asks the database at every scrape; that it does not answer is a number, too."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database: Final = database
        self._clock: Final = clock

    def describe(self) -> list[Family]:
        """Say nothing beforehand, so that a portal starts while its database is away."""
        return []

    def collect(self) -> Iterator[Family]:
        """Yield everything, or that the database is away."""
        families: list[Family] = []
        try:
            with self._database.read() as session:
                families = list(_families(session, self._clock.now()))
        except (DatabaseUnavailableError, SQLAlchemyError):
            families = []
        up = GaugeMetricFamily("handfast_database_up", "Whether the database answered.")
        up.add_metric([], 1.0 if families else 0.0)
        yield up
        yield from families


def _families(session: Session, now: int) -> Iterator[Family]:
    yield from _happened(session)
    yield from _present(session)
    health = read_health(session, now=now)
    yield from _audit(health)
    yield from _waiting(session, health, now)
    yield from _jobs(session)


def _happened(session: Session) -> Iterator[Family]:
    families = {
        what: CounterMetricFamily(name, text, labels=(label,))
        for what, (name, text, label) in HAPPENED.items()
    }
    counted = session.execute(
        select(DailyCount.what, DailyCount.label, func.sum(DailyCount.count))
        .where(DailyCount.what.in_([what.value for what in HAPPENED]))
        .group_by(DailyCount.what, DailyCount.label)
    )
    for what, label, count in counted:
        families[Daily(what)].add_metric([label], float(count))
    yield from families.values()


def _present(session: Session) -> Iterator[Family]:
    families = {
        what: GaugeMetricFamily(name, text, labels=(label,))
        for what, (name, text, label) in PRESENT.items()
    }
    for row in session.scalars(select(PresentCount)):
        families[Present(row.what)].add_metric([row.label], float(row.count))
    yield from families.values()


def _audit(health: Health) -> Iterator[Family]:
    state = health.audit
    figures = (
        ("handfast_audit_position", "Place of the last signed head.", state.position),
        ("handfast_audit_waiting", "Entries that wait for the sealer.", state.waiting),
        ("handfast_audit_lag_seconds", "How long the first one waits.", health.audit_lag / SECOND),
    )
    for name, text, value in figures:
        yield _gauge(name, text, value)


def _waiting(session: Session, health: Health, now: int) -> Iterator[Family]:
    since = health.mail_standing_since
    standing = 0 if since is None else max(0, now - since)
    mail = session.scalar(
        select(func.count())
        .select_from(OutgoingMail)
        .where(OutgoingMail.state == MailState.WAITING)
    )
    yield _gauge("handfast_mail_waiting", "Mail that waits to be sent.", mail or 0)
    text = "For how long no mail has gone out although some waits."
    yield _gauge("handfast_mail_standing_seconds", text, standing / SECOND)
    deliveries = session.scalar(
        select(func.count())
        .select_from(WebhookDelivery)
        .where(WebhookDelivery.state == DeliveryState.WAITING)
    )
    yield _gauge("handfast_webhooks_waiting", "Messages to webhooks that wait.", deliveries or 0)


def _jobs(session: Session) -> Iterator[Family]:
    ran = GaugeMetricFamily(
        "handfast_job_last_run_seconds",
        "When a job of the worker last ran, Unix time.",
        labels=("job",),
    )
    failed = GaugeMetricFamily(
        "handfast_job_failing",
        "Whether a job of the worker failed when it last ran.",
        labels=("job",),
    )
    for job in session.scalars(select(WorkerJob).order_by(WorkerJob.name)):
        ran.add_metric([job.name], job.ran_at / SECOND)
        failed.add_metric([job.name], float(job.has_failed))
    yield from (ran, failed)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text)
    family.add_metric([], value)
    return family
