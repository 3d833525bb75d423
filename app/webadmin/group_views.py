"""Groups of people, by which the reach of some staff is limited."""

from __future__ import annotations

from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.staff import groups as services
from app.staff.groups import GroupInUseError, GroupNameTakenError, GroupView
from app.webadmin import gate, notices
from app.webadmin.area import webadmin
from app.webadmin.staff_forms import GroupForm


@webadmin.get("/groups")
@require(Permission.GROUPS_MANAGE)
def groups() -> str:
    """Show the groups, and the form for another one."""
    return _list(GroupForm())


@webadmin.post("/groups")
@require(Permission.GROUPS_MANAGE)
def make_group() -> Any:
    """Add a group."""
    here, form = handfast(), GroupForm(request.form)
    if not form.validate():
        return _list(form), 400
    try:
        with here.database.write() as database:
            services.make(
                database,
                gate.current_staff().as_actor(),
                form.name.data,
                now=here.clock.now(),
                entropy=here.entropy,
            )
            notices.leave(database, gettext("The group %(name)s was made."), name=form.name.data)
    except GroupNameTakenError:
        form.name.errors = [gettext("There is a group of that name.")]
        return _list(form), 400
    return _back()


@webadmin.get("/groups/<group_id>")
@require(Permission.GROUPS_MANAGE)
def group(group_id: str) -> str:
    """Show one group."""
    found = _group(group_id)
    return _page(GroupForm(data={"name": found.name}), found)


@webadmin.post("/groups/<group_id>")
@require(Permission.GROUPS_MANAGE)
def rename_group(group_id: str) -> Any:
    """Give a group another name."""
    here, form, found = handfast(), GroupForm(request.form), _group(group_id)
    if not form.validate():
        return _page(form, found), 400
    try:
        with here.database.write() as database:
            services.rename(
                database,
                gate.current_staff().as_actor(),
                group_id,
                form.name.data,
                now=here.clock.now(),
            )
            notices.leave(database, gettext("The group was renamed."))
    except GroupNameTakenError:
        form.name.errors = [gettext("There is a group of that name.")]
        return _page(form, found), 400
    return redirect(url_for(".group", group_id=group_id), 303)


@webadmin.get("/groups/<group_id>/remove")
@require(Permission.GROUPS_MANAGE)
def ask_remove_group(group_id: str) -> str:
    """Ask before an empty group goes."""
    return render_template("admin/groups/remove.html", group=_group(group_id))


@webadmin.post("/groups/<group_id>/remove")
@require(Permission.GROUPS_MANAGE)
def remove_group(group_id: str) -> Response:
    """Remove an empty group."""
    here, actor = handfast(), gate.current_staff().as_actor()
    try:
        with here.database.write() as database:
            services.remove(database, actor, group_id, now=here.clock.now())
            notices.leave(database, gettext("The group was removed."))
    except GroupInUseError:
        with here.database.write() as database:
            text = gettext("There are people in this group. Take them out first.")
            notices.leave(database, text, is_error=True)
        return redirect(url_for(".group", group_id=group_id), 303)
    return _back()


def _group(group_id: str) -> GroupView:
    with handfast().database.read() as database:
        return services.find(database, gate.current_staff().as_actor(), group_id)


def _list(form: GroupForm) -> str:
    with handfast().database.read() as database:
        found = services.list_groups(database, gate.current_staff().as_actor())
    return render_template("admin/groups/index.html", form=form, groups=found)


def _page(form: GroupForm, found: GroupView) -> str:
    return render_template("admin/groups/group.html", form=form, group=found)


def _back() -> Response:
    return redirect(url_for(".groups"), 303)
