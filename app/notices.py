"""One message from the page that did something to the page that comes next.

Flask's own flashed messages need its cookie session, which is not used here; the message stays
in the session's row until a page has shown it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.accounts.sessions import read_flow, write_flow
from app.extensions import handfast
from app.models import WebSession
from app.permissions import current_person, is_signed_in

NAME: Final = "notice"


@dataclass(frozen=True)
class Notice:
    """What to say, and whether it is bad news."""

    text: str
    is_error: bool


def leave(database: Session, text: str, *, is_error: bool = False) -> None:
    """Leave a message for the next page, in the transaction of the act that it tells of."""
    row = database.get(WebSession, current_person().session_id)
    if row is not None:
        write_flow(database, row.id, {**read_flow(row), NAME: [text, is_error]})


def take() -> Notice | None:
    """Return the message that was left, once."""
    if not is_signed_in():
        return None
    session_id = current_person().session_id
    with handfast().database.read() as database:
        if _waiting(database, session_id) is None:
            return None
    with handfast().database.write() as database:
        row = database.get(WebSession, session_id)
        flow = {} if row is None else read_flow(row)
        left = flow.pop(NAME, None)
        write_flow(database, session_id, flow)
    return None if left is None else Notice(str(left[0]), bool(left[1]))


def _waiting(database: Session, session_id: str) -> object:
    row = database.get(WebSession, session_id)
    return None if row is None else read_flow(row).get(NAME)
