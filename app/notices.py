"""One message from the page that did something to the page that comes next.

Flask's own flashed messages need its cookie session, which is not used here; the message stays
in the session's row until a page has shown it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.accounts.sessions import flow_of, write_flow
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.permissions import current_person, is_signed_in

NAME: Final = "notice"


@dataclass(frozen=True)
class Notice:
    """What to say, and whether it is bad news."""

    text: str
    is_error: bool


def leave(database: Session, text: str, *, is_error: bool = False) -> None:
    """Leave a message for the next page, in the transaction of the act that it tells of."""
    session_id = current_person().session_id
    flow = flow_of(database, session_id)
    write_flow(database, session_id, {**flow, NAME: [text, is_error]})


def take() -> Notice | None:
    """Return the message that was left, once."""
    if not is_signed_in():
        return None
    session_id = current_person().session_id
    with handfast().database.read() as database:
        left = flow_of(database, session_id).get(NAME)
    if left is None:
        return None
    # A page that can be read is shown even while nothing can be written.
    with suppress(DatabaseUnavailableError), handfast().database.write() as database:
        flow = flow_of(database, session_id)
        flow.pop(NAME, None)
        write_flow(database, session_id, flow)
    return Notice(str(left[0]), bool(left[1]))
