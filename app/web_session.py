"""Who is behind a request: a browser by its cookie, or the API's client by its bearer token.

One row for each; Flask's own session is unused.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, Request, g, request
from flask.sessions import NullSession, SessionInterface, SessionMixin
from flask_login import LoginManager
from werkzeug.wrappers import Response

from app import addresses
from app.accounts import sessions
from app.accounts.visitor import SignedIn
from app.api.area import is_api
from app.clock import HOUR, SECOND
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.models import SessionKind, WebSession

COOKIE: Final = "__Host-handfast"


@dataclass
class Browser:
    """What is known of the browser behind this request."""

    token: str = field(repr=False)
    is_new: bool
    session_id: str | None = None
    person_id: str | None = None
    ends_at: int | None = None
    # Whether it ends then in any case, or only if nothing is done with it until then.
    is_final: bool = False

    @property
    def csrf(self) -> str:
        """The token that its forms carry."""
        return sessions.csrf_token(self.token)


class _NoSessions(SessionInterface):
    """Flask's signed cookies survive a logout, so none is ever read or set."""

    def open_session(self, app: Flask, request: Request) -> NullSession:  # noqa: ARG002  # Flask's signature
        # The entry keeps Flask-Login from reading its "remember me" cookie.
        return NullSession({"_remember": "clear"})

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Keep nothing."""


def install(portal: Flask) -> None:
    """Read the cookie before, and set it after, each request that needs it."""
    portal.session_interface = _NoSessions()
    login = LoginManager()
    login.session_protection = None
    login.request_loader(_load)
    # And not its init_app, which would set and clear that cookie with every answer.
    portal.login_manager = login  # type: ignore[attr-defined]  # where Flask-Login looks for it
    portal.after_request(_set_cookie)


def browser() -> Browser:
    """Return this request's browser, with a fresh token when it has no living session."""
    if "browser" not in g:
        g.browser = _read()
    found: Browser = g.browser
    return found


def client() -> sessions.Client:
    """Return where the request came from; a server on a Unix socket may not know the address."""
    address = request.remote_addr or ""
    return sessions.Client(
        address="" if addresses.parse(address) is None else address,
        user_agent=request.headers.get("User-Agent", ""),
    )


def ensure_row() -> str:
    """Return the session's id, after giving an anonymous browser the row that a flow needs."""
    current, services = browser(), handfast()
    if current.session_id is None:
        with services.database.write() as database:
            row = sessions.start(
                database,
                current.token,
                client(),
                person_id=None,
                now=services.clock.now(),
                lifetime=sessions.ANONYMOUS,
                entropy=services.entropy,
            )
            current.session_id = row.id
    return current.session_id


def renewed(token: str, session_id: str, person_id: str) -> None:
    """Send the browser its new token after a sign-in."""
    g.browser = Browser(token, is_new=True, session_id=session_id, person_id=person_id)


def dropped() -> None:
    """Take the cookie away after a sign-out."""
    g.browser = Browser(sessions.new_token(handfast().entropy), is_new=True)
    g.drop_cookie = True


def lifetime() -> int:
    """Return how long a session lasts at most, in microseconds."""
    return handfast().config.session_hours * HOUR


def _read() -> Browser:
    services = handfast()
    token, now = request.cookies.get(COOKIE, ""), services.clock.now()
    if len(token) != sessions.TOKEN_LENGTH or not token.isascii():
        return Browser(sessions.new_token(services.entropy), is_new=True)
    with services.database.read() as database:
        row = sessions.find(database, token, now=now)
        ended = row is None and sessions.is_known(database, token)
    if row is None:
        # A token whose session is over is never used again; one without a row is an
        # anonymous browser's, which gets its row when it first sends something.
        token = sessions.new_token(services.entropy) if ended else token
        return Browser(token, is_new=ended)
    _touch(row, now)
    return Browser(
        token, False, row.id, row.person_id, sessions.ends_at(row), sessions.is_final(row)
    )


def _touch(row: WebSession, now: int) -> None:
    if now - row.seen_at < sessions.SEEN_STEP:
        return
    row.seen_at = now
    # A page that can be read is shown even while nothing can be written.
    with suppress(DatabaseUnavailableError), handfast().database.write() as database:
        sessions.touch(database, row.id, now=now)


def _load(_request: Request) -> SignedIn | None:
    if is_api():
        return _load_client()
    current = browser()
    if current.person_id is None or current.session_id is None:
        return None
    return SignedIn(current.person_id, current.session_id)


def _load_client() -> SignedIn | None:
    """Return whose bearer token came along; the API looks at no cookie."""
    shown, here = request.authorization, handfast()
    token = (shown.token if shown is not None and shown.type == "bearer" else None) or ""
    if len(token) != sessions.TOKEN_LENGTH or not token.isascii():
        return None
    now = here.clock.now()
    with here.database.read() as database:
        row = sessions.find(database, token, now=now, kind=SessionKind.CLIENT)
    if row is None or row.person_id is None:
        return None
    _touch(row, now)
    return SignedIn(row.person_id, row.id)


def _set_cookie(response: Response) -> Response:
    current: Browser | None = g.get("browser")
    if "drop_cookie" in g:
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Lax")
    elif current is not None and current.is_new and (current.session_id or "csrf_used" in g):
        # Who only looks, at a page without a form, needs none.
        response.set_cookie(
            COOKIE, current.token, path="/", secure=True, httponly=True, samesite="Lax"
        )
    return response


def seconds_left(ends_at: int | None) -> int:
    """Return how many whole seconds it is until then, 0 if that is over or no moment at all."""
    return max(0, ((ends_at or 0) - handfast().clock.now()) // SECOND)
