"""The person's sessions as pages show them. No framework here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.accounts import sessions
from app.models import SessionKind, WebSession

# The order matters: most browsers name others beside themselves.
BROWSERS: Final = (
    ("Edge", re.compile(r"\bEdg(e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/")),
    ("Firefox", re.compile(r"\b(Firefox|FxiOS)/")),
    ("Chromium", re.compile(r"\b(Chrome|Chromium|CriOS|HeadlessChrome)/")),
    ("Safari", re.compile(r"\bSafari/")),
)
SYSTEMS: Final = (
    ("Android", re.compile(r"\bAndroid\b")),
    ("iOS", re.compile(r"\b(iPhone|iPad)\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b")),
    ("Linux", re.compile(r"\bLinux\b")),
)


@dataclass(frozen=True)
class SessionView:
    """One living session."""

    id: str
    kind: SessionKind
    # What the device calls itself whose client it is; None for a browser.
    device: str | None
    browser: str | None
    system: str | None
    address: str
    started_at: int
    seen_at: int
    ends_at: int
    is_this: bool


def list_sessions(session: Session, person_id: str, this: str, *, now: int) -> list[SessionView]:
    """Return the person's living sessions: this one first, then the latest used."""
    rows = sessions.of_person(session, person_id, now=now)
    views = [
        SessionView(
            id=row.id,
            kind=SessionKind(row.kind),
            device=sessions.device_name(row),
            browser=_first(BROWSERS, row.user_agent),
            system=_first(SYSTEMS, row.user_agent),
            address=row.address,
            started_at=row.created_at,
            seen_at=row.seen_at,
            ends_at=sessions.ends_at(row),
            is_this=row.id == this,
        )
        for row in rows
    ]
    return sorted(views, key=lambda view: not view.is_this)


def find_session(
    session: Session, person_id: str, this: str, session_id: str, *, now: int
) -> SessionView | None:
    """Return one living session of this person, or None."""
    found = list_sessions(session, person_id, this, now=now)
    return next((view for view in found if view.id == session_id), None)


def renew_session(session: Session, session_id: str, *, now: int) -> tuple[int, bool]:
    """Note that a session is in use; return when it ends now, and whether that is final."""
    sessions.touch(session, session_id, now=now)
    row = session.get_one(WebSession, session_id, populate_existing=True)
    return sessions.ends_at(row), sessions.is_final(row)


def end_others(session: Session, person_id: str, this: str, *, now: int) -> int:
    """End every session of the person but this one and return how many ended."""
    others = [row for row in sessions.of_person(session, person_id, now=now) if row.id != this]
    return sum(sessions.end(session, row.id, person_id, by_session=this, now=now) for row in others)


def browser_and_system(user_agent: str) -> tuple[str | None, str | None]:
    """Return what a browser says it is and runs on, as far as its words are known here."""
    return _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)


def _first(table: tuple[tuple[str, re.Pattern[str]], ...], user_agent: str) -> str | None:
    return next((name for name, pattern in table if pattern.search(user_agent)), None)
