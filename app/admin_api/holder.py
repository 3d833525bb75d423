"""Who shows a token of the administration's REST API; a person's own token opens nothing here."""

from __future__ import annotations

from contextlib import suppress

from flask import abort, g, request

from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.rights import Permission
from app.staff.reach import Actor
from app.tokens import services as tokens


class NotPermittedError(Exception):
    """The token is good, and what it is asked for is beyond its rights."""


def holder() -> tokens.Holder | None:
    """Return whose token came along, None where none is good."""
    if "token_holder" not in g:
        g.token_holder = _read()
    found: tokens.Holder | None = g.token_holder
    return found


def current_holder() -> tokens.Holder:
    """Return whose token it is; answers 401 where it is none."""
    return holder() or abort(401)


def actor() -> Actor:
    """Return who acts."""
    return current_holder().as_actor()


def authorise(needed: Permission) -> None:
    """Let the request through, or raise: no good token, or one that may not."""
    if needed not in current_holder().permissions:
        raise NotPermittedError


def _read() -> tokens.Holder | None:
    shown, here = request.authorization, handfast()
    text = (shown.token if shown is not None and shown.type == "bearer" else None) or ""
    now = here.clock.now()
    with here.database.read() as database:
        found = tokens.find(database, text, now=now)
    if found is not None and tokens.is_stale(found, now=now):
        # What can be read is shown even while nothing can be written.
        with suppress(DatabaseUnavailableError), here.database.write() as database:
            tokens.touch(database, found, now=now)
    return found
