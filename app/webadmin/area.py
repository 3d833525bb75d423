"""Which requests are WebAdmin's: those have a cookie, a gate and a navigation of their own."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, has_request_context, request

PREFIX: Final = "/admin"

webadmin = Blueprint("webadmin", __name__, url_prefix=PREFIX)


def is_webadmin() -> bool:
    """Tell whether this request is for WebAdmin, be there such an address or not."""
    return has_request_context() and (
        request.path == PREFIX or request.path.startswith(f"{PREFIX}/")
    )
