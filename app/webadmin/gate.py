"""WebAdmin's gate: whose cookie came along, and what they may do.

A visitor's session and a member of staff's are told apart by cookie, table and code; being signed
in to the portal opens nothing here, nor the other way round.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from flask import Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.accounts.sessions import TOKEN_LENGTH, new_token
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.models import Reach, StaffStage
from app.rights import Permission, permissions_of
from app.staff import sessions
from app.staff.reach import Actor
from app.web_session import Browser
from app.webadmin.area import is_webadmin

COOKIE: Final = "__Host-handfast-admin"


@dataclass(frozen=True)
class CurrentStaff:
    """The member of staff behind this request."""

    id: str
    session_id: str
    name: str
    role: str
    permissions: frozenset[Permission]
    reach: Reach
    # Whether they have shown who they are within the last minutes.
    is_fresh: bool

    @property
    def actor(self) -> str:
        """Their name in the audit."""
        return f"staff:{self.id}"

    def may(self, permission: Permission | str) -> bool:
        """Tell whether they have a permission, for what a page offers."""
        return permission in self.permissions

    def as_actor(self) -> Actor:
        """Return them as services know who acts."""
        return Actor(self.actor, self.permissions, self.reach, self.id, self.role)


@dataclass
class Visit:
    """What the cookie of this request stands for."""

    browser: Browser
    stage: StaffStage | None = None
    staff: CurrentStaff | None = None
    # Who gave the password, while the second factor is still to come.
    staff_id: str | None = None
    # Whether the token is that of a step just taken, which the browser must have.
    is_renewed: bool = False


def install(portal: Flask) -> None:
    """Set the cookie after the requests that changed it; ask for it where it was held back."""
    portal.before_request(_open_once_more)
    portal.after_request(_set_cookie)


def visit() -> Visit:
    """Return what this request's cookie stands for; a fresh token where it is nothing."""
    if "staff_visit" not in g:
        g.staff_visit = _read()
    found: Visit = g.staff_visit
    return found


def current_staff() -> CurrentStaff:
    """Return who is signed in to WebAdmin; answers 401 where nobody is."""
    staff = visit().staff
    if staff is None:
        abort(401)
    return staff


def authorise(needed: Permission) -> Response | None:
    """Let the request through, or answer it: sign in first, or 403."""
    staff = visit().staff
    if staff is None:
        if request.accept_mimetypes.best == "application/json":
            abort(401)
        wanted = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("webadmin.sign_in", next=wanted), code=303)
    if not staff.may(needed):
        abort(403)
    return None


def renewed(token: str) -> None:
    """Send the browser a new token: a step of the sign-in was taken."""
    g.staff_visit = Visit(Browser(token, is_new=True), is_renewed=True)


def dropped() -> None:
    """Take the cookie away after a sign-out."""
    g.staff_visit = Visit(Browser(new_token(handfast().entropy), is_new=True))
    g.drop_staff_cookie = True


def _open_once_more() -> str | None:
    """Let a page that another site links to open itself again, now with the cookie.

    The cookie does not come along from elsewhere, and whoever is signed in would be asked to sign
    in, and lose the session by it. A one-time link is for who is not, and keeps its ``#``.
    """
    is_link = request.method == "GET" and request.headers.get("Sec-Fetch-Site") == "cross-site"
    if not is_link or not is_webadmin() or COOKIE in request.cookies:
        return None
    if request.endpoint in {None, "webadmin.welcome"}:
        return None
    return render_template("admin/sign_in/once_more.html")


def _read() -> Visit:
    here = handfast()
    token, now = request.cookies.get(COOKIE, ""), here.clock.now()
    if len(token) != TOKEN_LENGTH or not token.isascii():
        return Visit(Browser(new_token(here.entropy), is_new=True))
    with here.database.read() as database:
        found = sessions.find(database, token, now=now)
        if found is None and sessions.is_known(database, token):
            # A token whose session is over is never used again.
            return Visit(Browser(new_token(here.entropy), is_new=True))
        if found is None:
            # Forms of the sign-in carry a token before there is any row.
            return Visit(Browser(token, is_new=False))
        row, staff = found
        permissions = frozenset[Permission]() if staff is None else permissions_of(staff.role)
        is_fresh = sessions.is_fresh(row, now=now)
    if sessions.is_stale(row, now=now):
        # A page that can be read is shown even while nothing can be written.
        with suppress(DatabaseUnavailableError), here.database.write() as database:
            sessions.touch(database, row.id, now=now)
    browser = Browser(
        token, False, row.id, row.staff_id, max(sessions.ends_at(row), now), sessions.is_final(row)
    )
    stage = StaffStage(row.stage)
    if staff is None or stage != StaffStage.FULL:
        return Visit(browser, stage, None, row.staff_id)
    current = CurrentStaff(
        staff.id, row.id, staff.name, staff.role, permissions, Reach(staff.reach), is_fresh
    )
    return Visit(browser, stage, current, staff.id)


def _set_cookie(response: Response) -> Response:
    if not is_webadmin():
        return response
    current: Visit | None = g.get("staff_visit")
    if "drop_staff_cookie" in g:
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    elif (
        current is not None and current.browser.is_new and (current.is_renewed or "csrf_used" in g)
    ):
        response.set_cookie(
            COOKIE, current.browser.token, path="/", secure=True, httponly=True, samesite="Strict"
        )
    return response
