"""Mail tells what happened to whom, so it is not kept for ever."""

from __future__ import annotations

from typing import Final

from sqlalchemy import delete, select

from app.clock import DAY
from app.database import Database
from app.models import MailChallenge, OutgoingMail

# Long enough for the slowest bounce, and for staff who look for what was sent.
KEEP_MAIL: Final = 90 * DAY
KEEP_CHALLENGE: Final = DAY
BATCH: Final = 500


def forget_old(database: Database, now: int) -> bool:
    """Delete up to a batch of each, and tell whether there may be more."""
    old_mail = select(OutgoingMail.id).where(OutgoingMail.ended_at <= now - KEEP_MAIL).limit(BATCH)
    old_challenges = (
        select(MailChallenge.id)
        .where(MailChallenge.expires_at <= now - KEEP_CHALLENGE)
        .limit(BATCH)
    )
    with database.write_connection() as connection:
        mails = connection.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(old_mail)))
        codes = connection.execute(
            delete(MailChallenge).where(MailChallenge.id.in_(old_challenges))
        )
    return BATCH in (mails.rowcount, codes.rowcount)
