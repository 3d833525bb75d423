"""What happened to a person, with the names of who did it, for staff. No framework here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.history.entries import Entry
from app.history.services import read_history
from app.models import ApiToken, Device, Staff

SHOWN: Final = 20


@dataclass(frozen=True)
class Timeline:
    """Some entries, the newest first, who did them by name, and where the older ones begin."""

    entries: tuple[Entry, ...]
    # By the actor as the audit has it.
    names: dict[str, str]
    older_before: int | None


def read_timeline(
    session: Session,
    person_id: str,
    *,
    before: int | None = None,
    targets: Sequence[str] = (),
    actor: str | None = None,
    limit: int = SHOWN,
) -> Timeline:
    """Return what concerns a person, optionally only what is about or by a thing of theirs."""
    page = read_history(
        session, person_id, before=before, targets=targets, actor=actor, limit=limit
    )
    actors = {event.actor for entry in page.entries for event in entry.events}
    return Timeline(page.entries, names_of(session, actors), page.older_before)


def names_of(session: Session, actors: set[str]) -> dict[str, str]:
    """Return the names of staff, tokens and devices, by what the audit calls them."""
    found: dict[str, str] = {}
    for kind, table in (("staff", Staff), ("token", ApiToken), ("device", Device)):
        ids = [actor.partition(":")[2] for actor in actors if actor.startswith(f"{kind}:")]
        if ids:
            rows = session.execute(select(table.id, table.name).where(table.id.in_(ids)))
            found |= {f"{kind}:{row.id}": row.name for row in rows}
    return found
