"""A member's sessions as pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.signed_in.services import browser_and_system
from app.staff import sessions


@dataclass(frozen=True)
class OwnSession:
    """One living session of WebAdmin."""

    id: str
    # The template of the portal's sessions asks for it; staff have no device's client.
    device: None
    browser: str | None
    system: str | None
    address: str
    started_at: int
    seen_at: int
    is_this: bool


def list_sessions(database: Session, staff_id: str, this: str, *, now: int) -> list[OwnSession]:
    """Return a member's living sessions: this one first, then the latest used."""
    views = []
    for row in sessions.of_staff(database, staff_id, now=now):
        browser, system = browser_and_system(row.user_agent)
        views.append(
            OwnSession(
                row.id,
                None,
                browser,
                system,
                row.address,
                row.created_at,
                row.seen_at,
                row.id == this,
            )
        )
    return sorted(views, key=lambda view: not view.is_this)
