"""One message from the page that did something to the page that comes next, for staff."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy.orm import Session

from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.notices import Notice, spell
from app.staff.sessions import NOTES
from app.webadmin import gate

NAME: Final = "notice"


def leave(database: Session, text: str, *, is_error: bool = False, **untrusted: str) -> None:
    """Leave a message for the next page, in the transaction of the act that it tells of.

    Names that somebody chose come apart from it: it has ``%(name)s`` in their places.
    """
    NOTES.put(database, gate.current_staff().session_id, NAME, [text, is_error, untrusted])


def take() -> Notice | None:
    """Return the message that was left, once."""
    staff = gate.visit().staff
    if staff is None:
        return None
    with handfast().database.read() as database:
        left = NOTES.read(database, staff.session_id, NAME)
    if left is None:
        return None
    # A page that can be read is shown even while nothing can be written.
    with suppress(DatabaseUnavailableError), handfast().database.write() as database:
        NOTES.take(database, staff.session_id, NAME)
    text, is_error, untrusted = left
    return spell(text, untrusted, is_error=is_error)
