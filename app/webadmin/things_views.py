"""The lists of what people have: accounts, devices, activations, keys, sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import render_template, request
from flask_babel import gettext, ngettext

from app.extensions import handfast
from app.people import subjects, things
from app.people.paging import Page
from app.people.subjects import Subject
from app.people.things import Wanted
from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin
from app.webadmin.gate import current_staff
from app.webadmin.lists import list_page, place_of, text_of
from app.webadmin.people_words import PLATFORM_CHOICES, THING_STATES
from app.words_for_people import SERVICE_NAMES, VOUCHERS

Describe = Callable[..., Sequence[Any]]


@webadmin.get("/accounts")
@require(Permission.PEOPLE_SEE)
def accounts() -> str:
    """Show mail accounts, the newest on top."""
    return _show("accounts", subjects.ACCOUNTS, things.account_lines, vouchers=VOUCHERS)


@webadmin.get("/devices")
@require(Permission.PEOPLE_SEE)
def devices() -> str:
    """Show devices, the newest on top."""
    return _show("devices", subjects.DEVICES, things.device_lines, platforms=PLATFORM_CHOICES)


@webadmin.get("/activations")
@require(Permission.PEOPLE_SEE)
def activations() -> str:
    """Show the activations that wait for a device, or others."""
    chosen = request.args.get("state", "waiting")
    return _show("activations", subjects.ACTIVATIONS, things.activation_lines, chosen)


@webadmin.get("/keys")
@require(Permission.PEOPLE_SEE)
def keys() -> str:
    """Show keys, the newest on top."""
    return _show("keys", subjects.KEYS, things.key_lines)


@webadmin.get("/sessions")
@require(Permission.PEOPLE_SEE)
def sessions() -> str:
    """Show where people are signed in now."""
    return _show("sessions", subjects.SESSIONS, things.session_lines)


def _show(
    name: str, subject: Subject, describe: Describe, chosen: str | None = None, **more: Any
) -> str:
    here, actor = handfast(), current_staff().as_actor()
    state = text_of("state") if chosen is None else chosen
    wanted = Wanted(
        text=text_of("q"),
        state=state if state in subject.states else "",
        person_id=text_of("person"),
        platform=text_of("platform"),
        after=place_of("after"),
        before=place_of("before"),
    )
    now = here.clock.now()
    with here.database.read() as session:
        page = things.read_things(session, actor, subject, wanted, now=now)
        lines = describe(session, page.ids, now=now)
    return render_template(
        f"admin/people/{name}.html",
        wanted=wanted,
        lines=lines,
        # One person's things, and they are seen: so the page may say whose.
        owner=lines[0].owner if wanted.person_id and lines else None,
        choices=THING_STATES[name],
        names=SERVICE_NAMES,
        now=now,
        page=list_page(page, _total(page)),
        **more,
    )


def _total(page: Page) -> str:
    if page.total is None:
        return ""
    if page.is_more:
        return str(gettext("More than %(num)s", num=f"{page.total:,}"))
    return str(ngettext("%(num)s in all", "%(num)s in all", page.total))
