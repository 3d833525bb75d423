"""The worker's jobs for mail."""

from __future__ import annotations

from app.outbox.bounces import read_bounces
from app.outbox.sending import Office, send_some
from app.outbox.tidying import forget_old
from app.worker.here import Here


def send_mail(here: Here) -> bool:
    """Send what is due, up to a batch."""
    return send_some(_office(here))


def take_bounces(here: Here) -> bool:
    """Read what came back."""
    return read_bounces(_office(here))


def tidy_mail(here: Here) -> bool:
    """Delete mails and codes whose time is long over."""
    return forget_old(here.database, here.clock.now())


def _office(here: Here) -> Office:
    return Office(here.database, here.config, here.keys.staff, here.clock, here.entropy)
