"""Where a sign-in may lead: pages of this portal that the person could open anyway."""

from __future__ import annotations

from typing import Final

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.permissions import permission_of

HOME: Final = "/"


def allowed_target(untrusted: object) -> str:
    """Return the path when it is one of our own pages behind a sign-in, else the first page."""
    if not isinstance(untrusted, str) or len(untrusted) > 200:
        return HOME
    # Only a plain path: no scheme, no host (nor // or /\\), no query, no control characters.
    plain = all(letter.isascii() and (letter.isalnum() or letter in "/-_.") for letter in untrusted)
    if not plain or not untrusted.startswith("/") or untrusted.startswith("//"):
        return HOME
    adapter = current_app.url_map.bind(request.host)
    try:
        endpoint, _ = adapter.match(untrusted, method="GET")
    except (HTTPException, RequestRedirect):
        return HOME
    return untrusted if permission_of(current_app, endpoint) is not None else HOME
