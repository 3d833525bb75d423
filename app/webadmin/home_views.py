"""WebAdmin's first page: how the installation is doing."""

from __future__ import annotations

from typing import Any, Final

from flask import current_app, render_template, request, url_for
from flask_babel import LazyString, lazy_gettext

from app.extensions import handfast
from app.models import Reach
from app.permissions import permission_of, require
from app.rights import Permission
from app.statistics import services
from app.webadmin import figures, gate
from app.webadmin.area import webadmin

RANGES: Final = (7, 30, 90, 365)
USUAL: Final = 30
# Where the figures lead to: endpoint and what its list is limited to.
LINKS: Final = {
    "waiting": ("webadmin.activations", {"state": "waiting"}),
    "failures": ("webadmin.audit", {"act": "sign-in-failed"}),
    "mail_lost": ("webadmin.accounts", {"state": "bounced"}),
    "audit": ("webadmin.audit", {}),
}
FIRST_STEPS: Final = (
    ("webadmin.ask_invite_person", lazy_gettext("Invite somebody")),
    ("webadmin.imports", lazy_gettext("Bring a list")),
)


@webadmin.get("")
@require(Permission.DASHBOARD_SEE)
def index() -> str:
    """Show what waits and what fails, and the figures of a range of days."""
    here, staff = handfast(), gate.current_staff()
    days = request.args.get("days", USUAL, type=int)
    days = days if days in RANGES else USUAL
    now, sees_all = here.clock.now(), staff.reach == Reach.EVERYONE
    with here.database.read() as database:
        waiting = services.waiting(database, staff.as_actor(), now=now)
        is_new = services.is_new(database)
        state = services.now_of(database, now=now) if sees_all else None
        found = services.statistics(database, days=days, now=now) if sees_all else None
    return render_template(
        "admin/index.html",
        waiting=waiting,
        is_new=is_new,
        state=state,
        days=days,
        ranges=RANGES,
        links={name: _address(endpoint, **values) for name, (endpoint, values) in LINKS.items()},
        first_steps=_first_steps(),
        statistics=found,
        course=found and figures.course(found),
        happened=found and figures.happened(found),
        there_is=found and figures.there_is(found),
    )


def _first_steps() -> list[tuple[str, LazyString]]:
    steps = [(_address(endpoint), label) for endpoint, label in FIRST_STEPS]
    return [(url, label) for url, label in steps if url]


def _address(endpoint: str, **values: Any) -> str:
    """Return a page's address; empty where this member of staff may not see it."""
    needed = permission_of(current_app, endpoint)
    if needed is None or not gate.current_staff().may(needed):
        return ""
    return url_for(endpoint, **values)
