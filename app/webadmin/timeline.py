"""A person's time line in words, in the third person, with the reasons that staff gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import url_for
from flask_babel import gettext, ngettext
from markupsafe import Markup

from app.audit import Act
from app.auditing.names import ACT_NAMES
from app.clock import HOUR
from app.history.entries import Entry, Event
from app.history.sentences import ACTIVATIONS, DEVICES, KEYS
from app.markup import address, bdi
from app.people.timeline import Timeline
from app.words_for_people import SERVICE_NAMES

_BY_STAFF: Final = ("staff:", "token:")


@dataclass(frozen=True)
class Line:
    """One entry as staff read it, with its single steps where it has several."""

    at: int
    what: str
    # About which thing it is; its parts are marked apart already.
    about: Markup
    by: Markup
    # As a member of staff wrote it; empty where nobody gave one.
    reason: str
    url: str
    steps: tuple[Line, ...] = ()
    # When it began, where that is long before it ended.
    since: int | None = None


def told(timeline: Timeline, person_id: str) -> list[Line]:
    """Put entries into words."""
    return [_told(entry, timeline.names, person_id) for entry in timeline.entries]


def who(actor: str, names: Mapping[str, str], person_id: str) -> Markup:
    """Return who did something."""
    kind, _, actor_id = actor.partition(":")
    name = names.get(actor)
    if kind == "person":
        words = gettext("the person") if actor_id == person_id else gettext("another person")
    elif kind == "device":
        words = gettext("the device %(name)s", name="%(name)s") if name else gettext("a device")
    elif kind == "staff":
        words = "%(name)s" if name else gettext("somebody who worked here")
    elif kind == "token":
        words = gettext("the API token %(name)s", name="%(name)s") if name else gettext("the API")
    else:
        words = gettext("the operator") if kind == "operator" else gettext("this service")
    return Markup.escape(words) % {"name": bdi(name or "")}


def _told(entry: Entry, names: Mapping[str, str], person_id: str) -> Line:
    lines = tuple(_line(event, names, person_id) for event in entry.events)
    newest, oldest = lines[0], lines[-1]
    if not entry.is_folded:
        return newest
    if entry.replaced:
        what = ngettext("%(num)s key replaced", "%(num)s keys replaced", entry.replaced)
    else:
        what = ngettext(
            "%(num)s key being replaced", "%(num)s keys being replaced", entry.under_way
        )
    return Line(
        at=newest.at,
        what=what,
        about=bdi(entry.events[0].facts["device"]),
        by=newest.by,
        reason="",
        url="",
        steps=lines,
        since=oldest.at if newest.at - oldest.at >= HOUR else None,
    )


def _line(event: Event, names: Mapping[str, str], person_id: str) -> Line:
    is_by_staff = event.actor.startswith(_BY_STAFF)
    return Line(
        at=event.at,
        what=str(ACT_NAMES[Act(event.act)]),
        about=_about(event.facts),
        by=who(event.actor, names, person_id),
        # What the service itself notes as a reason is one of its own words.
        reason=event.facts.get("reason", "") if is_by_staff else "",
        url=_url(event),
    )


def _about(facts: Mapping[str, str]) -> Markup:
    parts: list[Markup] = []
    if "device" in facts:
        parts.append(bdi(facts["device"]))
    service = {str(name): label for name, label in SERVICE_NAMES.items()}.get(
        facts.get("service", "")
    )
    if service is not None:
        parts.append(Markup.escape(service))
    if "account" in facts:
        parts.append(address(facts["account"]))
    if "address" in facts:
        network = Markup.escape(gettext("from %(address)s", address="%(address)s"))
        parts.append(network % {"address": bdi(facts["address"])})
    return Markup(" · ").join(parts)


def _url(event: Event) -> str:
    if event.target is None:
        return ""
    if event.act in DEVICES:
        return url_for("webadmin.device", device_id=event.target)
    if event.act in KEYS and "device" in event.facts:
        return url_for("webadmin.key", key_id=event.target)
    if event.act in ACTIVATIONS:
        return url_for("webadmin.activation", activation_id=event.target)
    return ""
