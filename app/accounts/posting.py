"""Where a person is written to, and the mail about what becomes of their addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.mailservers.server import VouchedBy
from app.models import MailAccount, Person
from app.outbox.kinds import MailKind
from app.outbox.services import queue


def post_address(session: Session | Connection, person_id: str) -> str | None:
    """Return where the person is written to: the first address that is theirs.

    One that staff entered counts until they have a proven one; one that they named a server for
    themselves never does, since it may be anybody's.
    """
    found: str | None = session.scalar(
        select(MailAccount.address)
        .where(
            MailAccount.person_id == person_id,
            MailAccount.proven_at.is_not(None) | (MailAccount.vouched_by == VouchedBy.STAFF),
        )
        .order_by(
            MailAccount.proven_at.is_(None),
            MailAccount.bounced_at.is_not(None),
            MailAccount.created_at,
            MailAccount.id,
        )
        .limit(1)
    )
    return found


def tell(
    session: Session,
    person_id: str,
    kind: MailKind,
    facts: Mapping[str, str | int],
    *,
    now: int,
    entropy: Callable[[int], bytes],
    to: str | None = None,
) -> None:
    """Queue a mail to the person; who has no address that is theirs gets none."""
    address = to or post_address(session, person_id)
    if address is None:
        return
    name = session.scalar(select(Person.name).where(Person.id == person_id)) or ""
    queue(
        session,
        person_id=person_id,
        address=address,
        kind=kind,
        facts={"name": name, **facts},
        now=now,
        entropy=entropy,
    )
