"""Staying signed in to WebAdmin while a page lies open."""

from __future__ import annotations

from flask import jsonify, redirect, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import web_session
from app.errors import wants_json
from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.staff import sessions
from app.webadmin import gate, notices
from app.webadmin.area import webadmin


@webadmin.post("/renew")
@require(Permission.STAFF_OWN)
def renew() -> Response:
    """Put off the end of this session, and tell a page's script for how long it lasts now."""
    here, staff = handfast(), gate.current_staff()
    with here.database.write() as database:
        ends_at, is_final = sessions.renew(database, staff.session_id, now=here.clock.now())
        if not wants_json():
            notices.leave(database, gettext("You stay signed in."))
    if wants_json():
        return jsonify(seconds_left=web_session.seconds_left(ends_at), is_final=is_final)
    return redirect(url_for(".index"), 303)
