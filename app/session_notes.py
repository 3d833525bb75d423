"""Small notes kept with a session: where a sign-in stands, a challenge, a message for a page.

Each is put and taken by its name while the row is held: what somebody takes out, a challenge that
counts once, does not come back with what somebody else puts in at that moment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, cast

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.models import StaffSession, WebSession


class SessionNotes:
    """The notes of one kind of session; never a credential."""

    def __init__(self, model: type[WebSession | StaffSession]) -> None:
        self._model: Final = model

    def read(self, database: Session, session_id: str, name: str) -> Any:
        """Return a note and leave it there; None where there is none."""
        flow = select(self._model.flow).where(self._model.id == session_id)
        return _parse(database.scalar(flow)).get(name)

    def put(self, database: Session, session_id: str, name: str, note: object) -> None:
        """Keep one more note with a session, in place of the one of that name."""
        self._write(database, session_id, {**self._held(database, session_id), name: note})

    def take(self, database: Session, session_id: str, name: str) -> Any:
        """Take a note out, so that nobody else finds it; None where there is none."""
        flow = self._held(database, session_id)
        note = flow.pop(name, None)
        self._write(database, session_id, flow)
        return note

    def _held(self, database: Session, session_id: str) -> dict[str, Any]:
        """Return all of them as they are now; the row is held until the transaction ends."""
        flow = select(self._model.flow).where(self._model.id == session_id)
        return _parse(database.scalar(flow.with_for_update()))

    def _write(self, database: Session, session_id: str, flow: Mapping[str, Any]) -> None:
        written = update(self._model).where(self._model.id == session_id)
        database.execute(written.values(flow=spell_notes(flow)))


def spell_notes(notes: Mapping[str, Any]) -> str:
    """Return notes as a row has them."""
    return json.dumps(dict(notes), separators=(",", ":"))


def notes_of(row: WebSession | StaffSession) -> dict[str, Any]:
    """Return the notes of a row that was read already."""
    return _parse(row.flow)


def _parse(flow: str | None) -> dict[str, Any]:
    return {} if flow is None else cast(dict[str, Any], json.loads(flow))
