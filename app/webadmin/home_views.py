"""WebAdmin's first page."""

from __future__ import annotations

from flask import render_template

from app.permissions import require
from app.rights import Permission
from app.webadmin.area import webadmin


@webadmin.get("")
@require(Permission.DASHBOARD_SEE)
def index() -> str:
    """Show how the installation is doing."""
    return render_template("admin/index.html")
