"""The administration's API: its operations, and what it says of itself."""

from __future__ import annotations

from typing import Any, Final

from flask_babel import lazy_gettext as _

from app.admin_api import ending_views, import_views, other_views, people_views
from app.api import openapi
from app.api.operations import admin_api
from app.extensions import handfast

__all__ = ["admin_api"]

# Importing a part is what puts its operations into the table.
PARTS: Final = (people_views, ending_views, other_views, import_views)


@admin_api.add(
    "GET",
    "/openapi.json",
    _("Get this description (OpenAPI 3.1)."),
    needs=None,
    gives=dict[str, Any],
)
def admin_describe() -> dict[str, Any]:
    """Return the OpenAPI document."""
    config = handfast().config
    return openapi.document(
        admin_api.table,
        issuer=config.issuer,
        name=config.service_name,
        described=openapi.OF_STAFF,
    )
