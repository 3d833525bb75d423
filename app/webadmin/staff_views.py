"""Who works here: the list, one member, and inviting somebody."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext
from wtforms.fields.choices import SelectChoice

from app.extensions import handfast
from app.models import LinkPurpose, Reach, StaffRole
from app.permissions import require
from app.rights import Permission
from app.staff import links, members
from app.staff.enrolling import LoginTakenError
from app.staff.members import Newcomer, Place
from app.webadmin import gate
from app.webadmin.area import webadmin
from app.webadmin.freshness import require_fresh
from app.webadmin.staff_forms import InviteForm, PlaceForm
from app.webadmin.staff_words import ROLES_EXPLAINED
from app.webadmin.words import REACH_NAMES, ROLE_NAMES


@webadmin.get("/staff")
@require(Permission.STAFF_SEE)
def staff() -> str:
    """Show who works here."""
    with handfast().database.read() as database:
        rows = members.list_members(database)
    return render_template("admin/staff/index.html", members=rows, reach_names=REACH_NAMES)


@webadmin.get("/staff/<staff_id>")
@require(Permission.STAFF_SEE)
def member(staff_id: str) -> str:
    """Show one member of staff."""
    here, current = handfast(), gate.current_staff()
    with here.database.read() as database:
        found = members.view(database, staff_id, now=here.clock.now())
        may_manage = current.may(Permission.STAFF_MANAGE) and members.may_manage(
            database, current.as_actor(), staff_id
        )
    return render_template(
        "admin/staff/member.html", member=found, may_manage=may_manage, reach_names=REACH_NAMES
    )


@webadmin.get("/staff/invite")
@require(Permission.STAFF_MANAGE)
@require_fresh
def ask_invite() -> str:
    """Ask who it is and what they may do."""
    return _ask(_offer(InviteForm()))


@webadmin.post("/staff/invite")
@require(Permission.STAFF_MANAGE)
@require_fresh
def invite() -> Any:
    """Add a member, and show the link by which they come in."""
    here, actor = handfast(), gate.current_staff().as_actor()
    form = _offer(InviteForm(request.form))
    if not form.validate():
        return _ask(form), 400
    newcomer = Newcomer(form.name.data, form.login.data, form.address.data or None, place_of(form))
    try:
        with here.database.write() as database:
            staff_id, token = members.invite(
                database, actor, newcomer, now=here.clock.now(), entropy=here.entropy
            )
    except LoginTakenError:
        form.login.errors = [gettext("Somebody else signs in with it.")]
        return _ask(form), 400
    return show_link(staff_id, newcomer.name, token, LinkPurpose.INVITED)


def show_link(staff_id: str, name: str, token: str, purpose: LinkPurpose) -> str:
    """Show a one-time link, this once."""
    here = handfast()
    return render_template(
        "admin/staff/link.html",
        name=name,
        link=links.address_of(here.config.issuer, token),
        until=here.clock.now() + links.LIFETIMES[purpose],
        member_url=url_for(".member", staff_id=staff_id),
    )


def offer_places(form: PlaceForm) -> PlaceForm:
    """Put into a form the roles and groups that the person before it may give."""
    actor = gate.current_staff().as_actor()
    with handfast().database.read() as database:
        groups = members.groups_to_give(database, actor)
    form.role.choices = [
        SelectChoice(role.value, ROLE_NAMES[role]) for role in members.roles_to_give(actor)
    ]
    form.groups.choices = [SelectChoice(group.id, group.name) for group in groups]
    if actor.reach == Reach.GROUPS:
        form.reach.choices = [SelectChoice(Reach.GROUPS.value, REACH_NAMES[Reach.GROUPS])]
    return form


def place_of(form: PlaceForm) -> Place:
    """Return what a valid form says."""
    reach = Reach(form.reach.data)
    groups = frozenset[str](form.groups.data if reach == Reach.GROUPS else ())
    return Place(StaffRole(form.role.data), reach, groups)


def _offer(form: InviteForm) -> InviteForm:
    offer_places(form)
    return form


def _ask(form: InviteForm) -> str:
    return render_template("admin/staff/invite.html", form=form, explained=ROLES_EXPLAINED)
