"""WebAdmin's pages: which there are, and what every one of them shows around itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for
from flask_babel import LazyString, lazy_gettext

from app.rights import Permission
from app.webadmin import gate, home_views, notices, session_views, sign_in_views
from app.webadmin.words import ROLE_NAMES

# Importing a module of views puts its pages into the blueprint.
VIEWS: Final = (home_views, session_views, sign_in_views)


@dataclass(frozen=True)
class Item:
    """One item of the navigation: shown to who may go there."""

    endpoint: str
    label: LazyString
    permission: Permission


NAVIGATION: Final = (Item("webadmin.index", lazy_gettext("Overview"), Permission.DASHBOARD_SEE),)


@dataclass(frozen=True)
class Entry:
    """One item as this request's page shows it."""

    url: str
    label: LazyString
    current: bool


def context() -> dict[str, Any]:
    """Return what every template of WebAdmin may use."""
    return {
        "staff": gate.visit().staff,
        "navigation": _navigation,
        "take_notice": notices.take,
        "signed_in": None,
        "role_names": ROLE_NAMES,
    }


def _navigation() -> list[Entry]:
    staff = gate.visit().staff
    if staff is None:
        return []
    return [
        Entry(url_for(item.endpoint), item.label, _is_here(item.endpoint))
        for item in NAVIGATION
        if staff.may(item.permission)
    ]


def _is_here(endpoint: str) -> bool:
    """Tell whether this page is the item's, or lies below it."""
    path = url_for(endpoint)
    if endpoint == "webadmin.index":
        return request.path == path
    return request.path == path or request.path.startswith(f"{path}/")
