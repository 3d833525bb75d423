"""One message from the page that did something to the page that comes next, for staff."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy.orm import Session

from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.models import StaffSession
from app.notices import Notice, spell
from app.staff.sessions import read_flow, write_flow
from app.webadmin import gate

NAME: Final = "notice"


def leave(database: Session, text: str, *, is_error: bool = False, **untrusted: str) -> None:
    """Leave a message for the next page, in the transaction of the act that it tells of.

    Names that somebody chose come apart from it: it has ``%(name)s`` in their places.
    """
    row = database.get_one(StaffSession, gate.current_staff().session_id, populate_existing=True)
    write_flow(database, row.id, {**read_flow(row), NAME: [text, is_error, untrusted]})


def take() -> Notice | None:
    """Return the message that was left, once."""
    staff = gate.visit().staff
    if staff is None:
        return None
    with handfast().database.read() as database:
        flow = read_flow(database.get_one(StaffSession, staff.session_id))
    left = flow.pop(NAME, None)
    if left is None:
        return None
    # A page that can be read is shown even while nothing can be written.
    with suppress(DatabaseUnavailableError), handfast().database.write() as database:
        write_flow(database, staff.session_id, flow)
    text, is_error, untrusted = left
    return spell(text, untrusted, is_error=is_error)
