"""What is done to a member of staff: change, disable, let in again, reset, sign out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.models import LinkPurpose, StaffState
from app.permissions import require
from app.rights import Permission
from app.staff import members
from app.staff.members import MemberView
from app.webadmin import gate, notices
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.staff_forms import MemberForm, PlaceForm, ReasonForm
from app.webadmin.staff_views import offer_places, place_of, show_link
from app.webadmin.staff_words import ROLES_EXPLAINED


@webadmin.get("/staff/<staff_id>/name")
@require(Permission.STAFF_MANAGE)
@require_fresh
def ask_rename_member(staff_id: str) -> str:
    """Ask what a member is called."""
    found = _member(staff_id)
    form = MemberForm(data={"name": found.name, "address": found.address or ""})
    return render_template("admin/staff/name.html", form=form, member=found)


@webadmin.post("/staff/<staff_id>/name")
@require(Permission.STAFF_MANAGE)
@require_fresh
def rename_member(staff_id: str) -> Any:
    """Change name and address."""
    form, found = MemberForm(request.form), _member(staff_id)
    if not form.validate():
        return render_template("admin/staff/name.html", form=form, member=found), 400
    with _acting(gettext("It was changed.")) as (database, now):
        members.rename(
            database, _actor(), staff_id, form.name.data, form.address.data or None, now=now
        )
    return _back(staff_id)


@webadmin.get("/staff/<staff_id>/role")
@require(Permission.STAFF_MANAGE)
@require_fresh
def ask_move_member(staff_id: str) -> str:
    """Ask what a member may do, and for whom."""
    found = _member(staff_id)
    groups = [group_id for group_id, _ in found.groups]
    data = {"role": found.role.value, "reach": found.reach.value, "groups": groups}
    return _ask_place(offer_places(PlaceForm(data=data)), found)


@webadmin.post("/staff/<staff_id>/role")
@require(Permission.STAFF_MANAGE)
@require_fresh
def move_member(staff_id: str) -> Any:
    """Change role and reach; they are in force at the member's next request."""
    form, found = offer_places(PlaceForm(request.form)), _member(staff_id)
    if not form.validate():
        return _ask_place(form, found), 400
    with _acting(gettext("It was changed.")) as (database, now):
        members.move(database, _actor(), staff_id, place_of(form), now=now)
    return _back(staff_id)


@webadmin.get("/staff/<staff_id>/disable")
@require(Permission.STAFF_MANAGE)
@require_fresh
def ask_disable_member(staff_id: str) -> str:
    """Ask before somebody is kept out."""
    return render_template("admin/staff/disable.html", form=ReasonForm(), member=_member(staff_id))


@webadmin.post("/staff/<staff_id>/disable")
@require(Permission.STAFF_MANAGE)
@require_fresh
def disable_member(staff_id: str) -> Any:
    """Keep somebody out."""
    form, found = ReasonForm(request.form), _member(staff_id)
    if not form.validate():
        return render_template("admin/staff/disable.html", form=form, member=found), 400
    with _acting(gettext("They are disabled and signed out.")) as (database, now):
        members.disable(database, _actor(), staff_id, form.reason.data, now=now)
    return _back(staff_id)


@webadmin.post("/staff/<staff_id>/enable")
@require(Permission.STAFF_MANAGE)
@require_fresh
def enable_member(staff_id: str) -> Response:
    """Let somebody in again."""
    with _acting(gettext("They may sign in again.")) as (database, now):
        members.enable(database, _actor(), staff_id, now=now)
    return _back(staff_id)


@webadmin.get("/staff/<staff_id>/reset")
@require(Permission.STAFF_MANAGE)
@require_fresh
def ask_reset_member(staff_id: str) -> Any:
    """Ask before password and second factors are taken away."""
    found = _member(staff_id)
    if found.state == StaffState.DISABLED:
        return _back(staff_id)
    return render_template("admin/staff/reset.html", member=found)


@webadmin.post("/staff/<staff_id>/reset")
@require(Permission.STAFF_MANAGE)
@require_fresh
def reset_member(staff_id: str) -> Any:
    """Take them away, and show a link to choose new ones."""
    here, token = handfast(), ""
    found = _member(staff_id)
    with _acting() as (database, now):
        token = members.reset(database, _actor(), staff_id, now=now, entropy=here.entropy)
    # Without one it was refused, which the next page says.
    return show_link(staff_id, found.name, token, LinkPurpose.RESET) if token else _back(staff_id)


@webadmin.get("/staff/<staff_id>/end-sessions")
@require(Permission.STAFF_MANAGE)
def ask_end_member_sessions(staff_id: str) -> str:
    """Ask before somebody is signed out."""
    return render_template("admin/staff/end_sessions.html", member=_member(staff_id))


@webadmin.post("/staff/<staff_id>/end-sessions")
@require(Permission.STAFF_MANAGE)
def end_member_sessions(staff_id: str) -> Response:
    """Sign somebody out everywhere."""
    with _acting() as (database, now):
        ended = members.end_sessions(database, _actor(), staff_id, now=now)
        text = ngettext("%(num)s session was ended.", "%(num)s sessions were ended.", ended)
        notices.leave(database, text)
    return _back(staff_id)


def _actor() -> Any:
    return gate.current_staff().as_actor()


def _member(staff_id: str) -> MemberView:
    """Return a member whom the person before the page may change; errors become pages."""
    here = handfast()
    with here.database.read() as database:
        members.manageable(database, _actor(), staff_id)
        return members.view(database, staff_id, now=here.clock.now())


@contextmanager
def _acting(told: str = "") -> Iterator[tuple[Session, int]]:
    """Do something in one transaction and say so on the next page, or say why not."""
    here = handfast()
    try:
        with here.database.write() as database:
            yield database, here.clock.now()
            if told:
                notices.leave(database, told)
    except members.LastOwnerError:
        with here.database.write() as database:
            text = gettext("This is the only owner. Make somebody else an owner first.")
            notices.leave(database, text, is_error=True)


def _ask_place(form: PlaceForm, found: MemberView) -> str:
    return render_template(
        "admin/staff/role.html", form=form, member=found, explained=ROLES_EXPLAINED
    )


def _back(staff_id: str) -> Response:
    return redirect(url_for(".member", staff_id=staff_id), 303)
