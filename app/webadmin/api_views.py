"""What programs can do with a token, for the people who write them."""

from __future__ import annotations

from flask import render_template

from app.admin_api.examples import EXAMPLES, TITLES
from app.admin_api.views import admin_api
from app.api import openapi, reading
from app.extensions import handfast
from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin


@webadmin.get("/api")
@require(Permission.STAFF_OWN)
def api_description() -> str:
    """Show each operation, what it takes and gives, and an example."""
    config = handfast().config
    described = openapi.document(
        admin_api.table,
        issuer=config.issuer,
        name=config.service_name,
        described=openapi.OF_STAFF,
    )
    return render_template(
        "admin/api/index.html",
        groups=reading.groups(admin_api.table, described, titles=TITLES, examples=EXAMPLES),
        problems=reading.PROBLEMS,
        issuer=config.issuer,
        prefix=admin_api.prefix,
    )
