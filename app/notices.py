"""One message from the page that did something to the page that comes next.

Flask's own flashed messages need its cookie session, which is not used here; the message stays
in the session's row until a page has shown it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from app.accounts.sessions import NOTES
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.markup import address, bdi
from app.permissions import current_person, is_signed_in

NAME: Final = "notice"


@dataclass(frozen=True)
class Notice:
    """What to say, and whether it is bad news."""

    text: Markup
    is_error: bool


def leave(database: Session, text: str, *, is_error: bool = False, **untrusted: str) -> None:
    """Leave a message for the next page, in the transaction of the act that it tells of.

    Names that somebody chose come apart from it: it has ``%(name)s`` in their places.
    """
    session_id = current_person().session_id
    NOTES.put(database, session_id, NAME, [text, is_error, untrusted])


def take() -> Notice | None:
    """Return the message that was left, once."""
    if not is_signed_in():
        return None
    session_id = current_person().session_id
    with handfast().database.read() as database:
        left = NOTES.read(database, session_id, NAME)
    if left is None:
        return None
    # A page that can be read is shown even while nothing can be written.
    with suppress(DatabaseUnavailableError), handfast().database.write() as database:
        NOTES.take(database, session_id, NAME)
    # One that an earlier version left has no names.
    text, is_error, *more = left
    return spell(text, more[0] if more else {}, is_error=is_error)


def spell(text: str, untrusted: Mapping[str, str], *, is_error: bool) -> Notice:
    """Put the names into a message, each with the direction of its own script."""
    names = {
        name: address(value) if name == "address" else bdi(value)
        for name, value in untrusted.items()
    }
    # Only where there are names does a percent sign mean anything.
    return Notice(escape(text) % names if names else escape(text), is_error)
