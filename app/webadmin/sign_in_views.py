"""Signing in to WebAdmin, and out."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.staff import sessions
from app.webadmin import gate
from app.webadmin.area import webadmin


@webadmin.get("/sign-in")
def sign_in() -> str:
    """Ask who it is."""
    return render_template("admin/sign_in/password.html")


@webadmin.post("/sign-out")
@require(Permission.STAFF_OWN)
def sign_out() -> Response:
    """End this session."""
    here, staff = handfast(), gate.current_staff()
    with here.database.write() as database:
        sessions.end(database, staff.session_id, staff.id, now=here.clock.now())
    gate.dropped()
    return redirect(url_for(".sign_in"), 303)
