"""What WebAdmin's lists of people and of their things have in common: their addresses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from flask import request, url_for
from flask_babel import LazyString, gettext, lazy_gettext

from app.people.paging import MOST_LOOKED_AT, Page, Place, parse_place

LONGEST_TEXT: Final = 200
PLACES: Final = ("after", "before")
# The lists that belong together, as the pages beside each other.
LISTS: Final = (
    ("webadmin.people", lazy_gettext("People")),
    ("webadmin.accounts", lazy_gettext("Mail accounts")),
    ("webadmin.devices", lazy_gettext("Devices")),
    ("webadmin.activations", lazy_gettext("Activations")),
    ("webadmin.keys", lazy_gettext("Keys")),
    ("webadmin.sessions", lazy_gettext("Sessions")),
)
LIST_ENDPOINTS: Final = tuple(endpoint for endpoint, _ in LISTS)
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class ListPage:
    """What a list's page shows around its lines."""

    # Its own address, without search and filters.
    url: str
    lists: tuple[tuple[str, LazyString, bool], ...]
    is_filtered: bool
    newer: str
    older: str
    first: str
    # How many there are, in words; empty where that is not known.
    total: str
    # Why the page is shorter than it could be; empty where it is not.
    cut: str


def text_of(name: str) -> str:
    """Return a text of the address, cut to what anybody looks for."""
    return request.args.get(name, "")[:LONGEST_TEXT].strip()


def choice_of(name: str, choices: type[Choice]) -> Choice | None:
    """Return the chosen one of several; None where it is none of them."""
    asked = request.args.get(name, "")
    return next((choice for choice in choices if choice == asked), None)


def place_of(name: str) -> Place | None:
    """Return where the page begins or ends."""
    return parse_place(request.args.get(name))


def list_page(page: Page, total: str) -> ListPage:
    """Return what the page of a list shows around its lines."""
    kept: dict[str, Any] = {
        name: value[:LONGEST_TEXT]
        for name, value in request.args.items()
        if name not in PLACES and value
    }
    endpoint = str(request.endpoint)

    def ways(name: str, place: Place | None) -> str:
        here: dict[str, Any] = {**kept, name: str(place)}
        return "" if place is None else url_for(endpoint, **here)

    is_first = not any(request.args.get(name) for name in PLACES)
    return ListPage(
        url=url_for(endpoint),
        lists=tuple((url_for(each), label, each == endpoint) for each, label in LISTS),
        is_filtered=bool(kept),
        newer=ways("before", page.newer),
        older=ways("after", page.older),
        first="" if is_first or page.newer is None else url_for(endpoint, **kept),
        total=total,
        cut=_cut() if page.is_cut else "",
    )


def _cut() -> str:
    return str(
        gettext(
            "The search looked through %(count)s entries and stopped there. Go on to the next "
            "ones, or say more.",
            count=f"{MOST_LOOKED_AT:,}",
        )
    )
