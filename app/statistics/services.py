"""What the dashboard reads: rows that the worker made, and a few looks into small indexes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, true
from sqlalchemy.orm import Session

from app.activation.status import is_awaited
from app.clock import DAY
from app.metrics.health import Health, read_health
from app.models import (
    Activation,
    CountingState,
    DailyCount,
    MailState,
    OutgoingMail,
    Person,
    PresentCount,
    Reach,
)
from app.staff.reach import Actor, within
from app.statistics.counting import ROW
from app.statistics.names import Daily, Present, Step
from app.statistics.tallying import day_of

# Beyond this a page says "more than", since nobody waits for an exact answer.
MOST: Final = 10_000
LOST_DAYS: Final = 7
# Ranges with more days are drawn in weeks.
MOST_SINGLE_DAYS: Final = 31
WEEK: Final = 7


@dataclass(frozen=True)
class Waiting:
    """Activations that wait for a device, of the people within somebody's reach."""

    count: int
    oldest_at: int | None

    @property
    def is_more(self) -> bool:
        """Tell whether there are more than were counted."""
        return self.count > MOST


@dataclass(frozen=True)
class Now:
    """What matters at this moment, for the whole installation."""

    failures_today: int
    mail_waiting: int
    mail_lost: int
    health: Health


@dataclass(frozen=True)
class Statistics:
    """What happened in a range of days, and what there is."""

    # Of each bin, the day (since 1970) that it begins with; bins follow one another.
    bins: tuple[int, ...]
    days_in_bin: int
    # For each step its count in each bin.
    steps: Mapping[Step, tuple[int, ...]]
    # What → label → count over the whole range.
    totals: Mapping[Daily, Counter[str]]
    present: Mapping[Present, Counter[str]]
    present_at: int | None


def is_new(session: Session) -> bool:
    """Tell whether nobody has been set up here yet."""
    return session.scalar(select(Person.id).limit(1)) is None


def waiting(session: Session, actor: Actor, *, now: int) -> Waiting:
    """Count what waits, as far as this actor may see it."""
    reach = (
        true()
        if actor.reach == Reach.EVERYONE
        else Activation.person_id.in_(select(Person.id).where(within(actor)))
    )
    is_waiting = (is_awaited(Activation, now), reach)
    oldest = select(Activation.created_at).where(*is_waiting).order_by(Activation.created_at)
    return Waiting(
        count=_at_most(session, select(Activation.id).where(*is_waiting)),
        oldest_at=session.scalar(oldest.limit(1)),
    )


def now_of(session: Session, *, now: int) -> Now:
    """Return what matters at this moment; for who may see everybody."""
    return Now(
        failures_today=_failures(session, day_of(now)),
        mail_waiting=_mail(session, OutgoingMail.state == MailState.WAITING),
        mail_lost=_mail(
            session,
            OutgoingMail.state.in_([MailState.FAILED, MailState.BOUNCED]),
            OutgoingMail.ended_at > now - LOST_DAYS * DAY,
        ),
        health=read_health(session, now=now),
    )


def statistics(session: Session, *, days: int, now: int) -> Statistics:
    """Return the counts of the last days, today's included; in weeks to the nearest whole one."""
    last = day_of(now)
    in_bin = 1 if days <= MOST_SINGLE_DAYS else WEEK
    count = round(days / in_bin)
    first = last + 1 - count * in_bin
    steps = {step: [0] * count for step in Step}
    totals: dict[Daily, Counter[str]] = {what: Counter() for what in Daily}
    rows = session.execute(
        select(
            DailyCount.day, DailyCount.what, DailyCount.label, DailyCount.count.label("times")
        ).where(DailyCount.day >= first, DailyCount.day <= last)
    )
    for row in rows:
        what = Daily(row.what)
        totals[what][row.label] += row.times
        if what is Daily.ACTIVATIONS:
            steps[Step(row.label)][(row.day - first) // in_bin] += row.times
    state = session.get(CountingState, ROW)
    return Statistics(
        bins=tuple(first + place * in_bin for place in range(count)),
        days_in_bin=in_bin,
        steps={step: tuple(counts) for step, counts in steps.items()},
        totals=totals,
        present=_present(session),
        present_at=None if state is None else state.present_at,
    )


def _present(session: Session) -> dict[Present, Counter[str]]:
    found: dict[Present, Counter[str]] = {what: Counter() for what in Present}
    for row in session.scalars(select(PresentCount)):
        found[Present(row.what)][row.label] = row.count
    return found


def _failures(session: Session, day: int) -> int:
    total = select(func.coalesce(func.sum(DailyCount.count), 0)).where(
        DailyCount.day == day, DailyCount.what == Daily.FAILED
    )
    return int(session.scalar(total) or 0)


def _mail(session: Session, *which: ColumnElement[bool]) -> int:
    return _at_most(session, select(OutgoingMail.id).where(*which))


def _at_most(session: Session, query: Select[Any]) -> int:
    """Count the rows, but not on and on: one more than MOST stands for many."""
    return session.scalar(select(func.count()).select_from(query.limit(MOST + 1).subquery())) or 0
