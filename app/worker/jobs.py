"""What the worker does: one table, read from top to bottom in every round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.activation.sweep import sweep
from app.auditing.jobs import seal_audit
from app.bulk.jobs import check_lists, forget_lists, stock_lists, take_lists
from app.outbox.jobs import send_mail, take_bounces, tidy_mail
from app.provisioning.services import expire
from app.staff.tidying import forget_old
from app.statistics.jobs import count
from app.webhooks.jobs import tell_webhooks
from app.worker.here import Here


@dataclass(frozen=True)
class Job:
    """One kind of work. ``run`` does a bounded piece of it and tells whether more is waiting."""

    name: str
    # How long it rests, in seconds, when nothing is waiting.
    rest: float
    run: Callable[[Here], bool]


def _sweep(here: Here) -> bool:
    sweep(here.database, here.clock)
    return False


def _tidy_staff(here: Here) -> bool:
    return forget_old(here.database, here.clock.now())


def _expire_invitations(here: Here) -> bool:
    return expire(here.database, here.clock)


JOBS: Final = (
    Job("audit", 2, seal_audit),
    # After it, since entries are counted once they have their place.
    Job("counts", 10, count),
    Job("webhooks", 2, tell_webhooks),
    Job("mail", 2, send_mail),
    Job("bounces", 60, take_bounces),
    Job("mail-tidy", 3600, tidy_mail),
    Job("lists-checked", 1, check_lists),
    Job("lists-taken", 1, take_lists),
    Job("lists-stocked", 1, stock_lists),
    Job("lists-tidy", 3600, forget_lists),
    Job("invitations", 60, _expire_invitations),
    Job("staff-tidy", 600, _tidy_staff),
    Job("sweep", 60, _sweep),
)
