"""Groups, and the audit."""

from __future__ import annotations

import re
from typing import Final

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from app.admin_api import holder
from app.admin_api.acting import make
from app.admin_api.messages import AuditLine, GroupDetails, GroupRequest
from app.api.operations import admin_api
from app.api.pages import Asked, next_page, page_of
from app.api.problems import ProblemError
from app.auditing.searching import Line, Place, TooManyPeopleError, Wanted, search
from app.clock import seconds
from app.extensions import handfast
from app.provisioning.acts import usable_name
from app.provisioning.services import Here, UnusableError
from app.rights import Permission
from app.staff import groups
from app.staff.groups import GroupNameTakenError
from app.staff.reach import Actor

_PLACE: Final = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
FILTERS: Final = ("person", "actor", "act", "target")


@admin_api.add(
    "GET",
    "/groups",
    _("List the groups within reach."),
    needs=Permission.PEOPLE_SEE,
    gives=list[GroupDetails],
    paged=True,
)
def admin_list_groups(page: Asked) -> list[GroupDetails]:
    """List the groups by name."""
    with handfast().database.read() as session:
        found = groups.list_groups(session, holder.actor())
    shown = page_of(found, page, lambda group: group.id)
    return [GroupDetails(group.id, group.name, group.people) for group in shown]


@admin_api.add(
    "POST",
    "/groups",
    _("Make a group."),
    needs=Permission.GROUPS_MANAGE,
    takes=GroupRequest,
    gives=GroupDetails,
    is_repeatable=True,
    problems=("name-taken",),
)
def admin_make_group(wanted: GroupRequest) -> GroupDetails:
    """Make a group without anybody in it."""

    def work(session: Session, actor: Actor, here: Here) -> GroupDetails:
        name = usable_name(wanted.name)
        if not name:
            raise UnusableError("name")
        made = groups.make(session, actor, name, now=here.now, entropy=here.entropy)
        return GroupDetails(made, name, 0)

    try:
        return make(GroupDetails, work)
    except GroupNameTakenError:
        raise ProblemError("name-taken") from None


@admin_api.add(
    "GET",
    "/audit",
    _("Read the audit, the newest act first."),
    needs=Permission.AUDIT_SEE,
    gives=list[AuditLine],
    paged=True,
    filters=FILTERS,
)
def admin_read_audit(page: Asked) -> list[AuditLine]:
    """Read what happened within reach."""
    after = None if page.after is None else _PLACE.fullmatch(page.after)
    if page.after is not None and after is None:
        raise ProblemError("unknown-cursor")
    place = None if after is None else Place(int(after[1]), int(after[2]))
    try:
        with handfast().database.read() as session:
            found = search(session, holder.actor(), _wanted(page), after=place)
    except TooManyPeopleError:
        raise ProblemError("unusable", "too many people fit that") from None
    shown = found.lines[: page.limit]
    if len(found.lines) > page.limit or found.older is not None:
        next_page(page, f"{shown[-1].at}-{shown[-1].id}")
    return [_line(each) for each in shown]


def _wanted(page: Asked) -> Wanted:
    person, actor, act, target = (page.filters.get(name, "") for name in FILTERS)
    if not all(text.isprintable() for text in (actor, act, target)):
        raise ProblemError("unusable", "there is an invisible character in it")
    return Wanted(person=person, actor=actor, act=act, target=target)


def _line(line: Line) -> AuditLine:
    return AuditLine(
        id=line.id,
        at=seconds(line.at),
        actor=line.actor,
        act=line.act,
        person=line.person_id,
        target=line.target,
        facts=dict(line.facts),
        position=line.position,
        sealed=line.is_sealed,
    )
