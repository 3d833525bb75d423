"""The portal's signed-in pages: which there are, and what every one of them shows around itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, request, url_for
from flask_babel import LazyString, lazy_gettext

from app import notices
from app.activation.code_views import activation
from app.admin_api.views import admin_api
from app.api.views import api
from app.api.views import page as api_page
from app.client.views import client
from app.devices.views import devices
from app.extensions import handfast
from app.history.views import history
from app.home.proving_views import home
from app.home.services import main_address
from app.permissions import current_person, is_signed_in
from app.personal.views import personal
from app.signed_in.views import signed_in
from app.webadmin import pages as webadmin_pages
from app.webadmin.area import is_webadmin, webadmin

BLUEPRINTS: Final = (
    home,
    client,
    activation,
    devices,
    signed_in,
    history,
    personal,
    api.blueprint,
    admin_api.blueprint,
    api_page,
    webadmin,
)
NAVIGATION: Final = (
    ("home.index", lazy_gettext("Your account")),
    ("devices.index", lazy_gettext("Devices")),
    ("activation.index", lazy_gettext("Activations")),
    ("signed_in.index", lazy_gettext("Sessions")),
    ("history.index", lazy_gettext("History")),
)


@dataclass(frozen=True)
class Entry:
    """One entry of the navigation."""

    url: str
    label: LazyString
    current: bool


@dataclass(frozen=True)
class Visitor:
    """Who is signed in, for the page's header."""

    address: str


def install(portal: Flask) -> None:
    """Register the pages and what every template may use."""
    for blueprint in BLUEPRINTS:
        portal.register_blueprint(blueprint)
    portal.context_processor(_page_context)


def _page_context() -> dict[str, Any]:
    if is_webadmin():
        return {"service_name": handfast().config.service_name, **webadmin_pages.context()}
    return {
        "service_name": handfast().config.service_name,
        "navigation": _navigation,
        "take_notice": notices.take,
        "signed_in": _visitor() if is_signed_in() else None,
    }


def _navigation() -> list[Entry]:
    here = (request.endpoint or "").partition(".")[0]
    return [
        Entry(url_for(endpoint), label, here == endpoint.partition(".")[0])
        for endpoint, label in NAVIGATION
    ]


def _visitor() -> Visitor:
    with handfast().database.read() as database:
        return Visitor(main_address(database, current_person().id))
