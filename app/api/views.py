"""The API as a whole: its parts, their description for programs, and the page for people."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, render_template
from flask_babel import lazy_gettext as _

from app.api import activation_views, openapi, own_views, reading, requests, sign_in_views
from app.api.operations import api
from app.extensions import handfast

__all__ = ["api", "page"]

# Importing a part is what puts its operations into the table.
PARTS: Final = (requests, sign_in_views, activation_views, own_views)

page: Final = Blueprint("api_page", __name__)


@api.add(
    "GET",
    "/openapi.json",
    _("Get this description (OpenAPI 3.1)."),
    needs=None,
    gives=dict[str, Any],
)
def describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    config = handfast().config
    return openapi.document(api.table, issuer=config.issuer, name=config.service_name)


@page.get("/api")
def index() -> str:
    """Show the API to people: each operation, what it takes and gives, and an example."""
    config = handfast().config
    described = openapi.document(api.table, issuer=config.issuer, name=config.service_name)
    return render_template(
        "api/index.html",
        groups=reading.groups(api.table, described),
        problems=reading.PROBLEMS,
        causes=reading.CAUSES,
        issuer=config.issuer,
        prefix=reading.PREFIX,
    )
