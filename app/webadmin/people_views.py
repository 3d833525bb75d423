"""The list of people."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext, ngettext

from app.extensions import handfast
from app.people.conditions import PeopleState
from app.people.listing import BY_ADDRESS, Wanted, list_groups, list_people
from app.people.paging import Page
from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin
from app.webadmin.gate import current_staff
from app.webadmin.lists import choice_of, list_page, place_of, text_of
from app.webadmin.people_words import STATES


@webadmin.get("/people")
@require(Permission.PEOPLE_SEE)
def people() -> str:
    """Show the people, those who came last on top, or those who are looked for."""
    here, actor = handfast(), current_staff().as_actor()
    wanted = Wanted(
        text=text_of("q"),
        state=choice_of("state", PeopleState),
        group_id=text_of("group"),
        sort=text_of("sort"),
        after=place_of("after"),
        before=place_of("before"),
    )
    with here.database.read() as session:
        page, lines = list_people(session, actor, wanted, now=here.clock.now())
        groups = list_groups(session, actor)
    return render_template(
        "admin/people/index.html",
        wanted=wanted,
        lines=lines,
        groups=groups,
        states=STATES,
        state_choices=[(state, label) for state, (_, label) in STATES.items()],
        by_address=BY_ADDRESS,
        page=list_page(page, _total(page)),
    )


def _total(page: Page) -> str:
    if page.total is None:
        return ""
    if page.is_more:
        return str(gettext("More than %(num)s people", num=f"{page.total:,}"))
    return str(ngettext("%(num)s person", "%(num)s people", page.total))
