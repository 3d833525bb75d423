"""WebAdmin's pages: which there are, and what every one of them shows around itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import request, url_for
from flask_babel import LazyString, lazy_gettext

from app.rights import Permission
from app.webadmin import (
    act_views,
    api_views,
    audit_views,
    code_views,
    confirm_views,
    export_views,
    factor_views,
    gate,
    group_views,
    home_views,
    import_views,
    invite_views,
    member_views,
    notices,
    people_views,
    person_views,
    personal_views,
    profile_views,
    session_views,
    sign_in_views,
    staff_views,
    things_views,
    token_views,
    webhook_views,
    welcome_views,
)
from app.webadmin.badges import BADGES
from app.webadmin.lists import LIST_ENDPOINTS
from app.webadmin.words import ROLE_NAMES

# Importing a module of views puts its pages into the blueprint.
VIEWS: Final = (
    act_views,
    api_views,
    invite_views,
    personal_views,
    home_views,
    import_views,
    session_views,
    sign_in_views,
    confirm_views,
    export_views,
    welcome_views,
    profile_views,
    factor_views,
    staff_views,
    member_views,
    group_views,
    people_views,
    person_views,
    things_views,
    token_views,
    audit_views,
    code_views,
    webhook_views,
)


@dataclass(frozen=True)
class Item:
    """One item of the navigation: shown to who may go there."""

    endpoint: str
    label: LazyString
    permission: Permission
    # Pages elsewhere that belong to it.
    also: tuple[str, ...] = ()


NAVIGATION: Final = (
    Item("webadmin.index", lazy_gettext("Overview"), Permission.DASHBOARD_SEE),
    Item("webadmin.people", lazy_gettext("People"), Permission.PEOPLE_SEE, also=LIST_ENDPOINTS),
    Item("webadmin.imports", lazy_gettext("Lists"), Permission.PEOPLE_IMPORT),
    Item("webadmin.groups", lazy_gettext("Groups"), Permission.GROUPS_MANAGE),
    Item("webadmin.staff", lazy_gettext("Staff"), Permission.STAFF_SEE),
    Item("webadmin.tokens", lazy_gettext("Tokens"), Permission.TOKENS_MANAGE),
    Item("webadmin.audit", lazy_gettext("Audit"), Permission.AUDIT_SEE),
    Item("webadmin.webhooks", lazy_gettext("Webhooks"), Permission.WEBHOOKS_MANAGE),
)


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
        "badge_states": BADGES,
    }


def _navigation() -> list[Entry]:
    staff = gate.visit().staff
    if staff is None:
        return []
    return [
        Entry(
            url_for(item.endpoint),
            item.label,
            any(_is_here(each) for each in (item.endpoint, *item.also)),
        )
        for item in NAVIGATION
        if staff.may(item.permission)
    ]


def _is_here(endpoint: str) -> bool:
    """Tell whether this page is the item's, or lies below it."""
    path = url_for(endpoint)
    if endpoint == "webadmin.index":
        return request.path == path
    return request.path == path or request.path.startswith(f"{path}/")
