"""What a mail that cannot be delivered leaves: a mark at its account, and an audit row."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit import Act, record
from app.models import MailAccount


def note_undeliverable(
    session: Session, mail_id: str, person_id: str | None, address: str, words: str, *, now: int
) -> None:
    """Mark the person's account of this address, in the transaction that ends the mail."""
    if person_id is not None:
        session.execute(
            update(MailAccount)
            .where(MailAccount.person_id == person_id, MailAccount.address == address)
            .values(bounced_at=now)
        )
    record(
        session,
        at=now,
        actor="system",
        act=Act.MAIL_BOUNCED,
        subject=person_id,
        target=mail_id,
        detail={"account": address, "answer": words},
    )
