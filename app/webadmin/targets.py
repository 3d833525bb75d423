"""Where signing in to WebAdmin may lead: its own pages that one opens by their address."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.permissions import permission_of
from app.webadmin.area import PREFIX

LETTERS: Final = frozenset("/-_.?=&%+~:")
MAX_LENGTH: Final = 500


def allowed_target(untrusted: object) -> str:
    """Return the address when it is a page of WebAdmin behind its gate, else the first page."""
    if not isinstance(untrusted, str) or len(untrusted) > MAX_LENGTH:
        return PREFIX
    plain = all(one.isascii() and (one.isalnum() or one in LETTERS) for one in untrusted)
    path = urlsplit(untrusted).path if plain else ""
    if path != PREFIX and not path.startswith(f"{PREFIX}/"):
        return PREFIX
    # Whatever else it might be is not plain, or does not begin with our own path.
    if not untrusted.startswith(path):
        return PREFIX
    adapter = current_app.url_map.bind(request.host)
    try:
        endpoint, _ = adapter.match(path, method="GET")
    except (HTTPException, RequestRedirect):
        return PREFIX
    return untrusted if permission_of(current_app, endpoint) is not None else PREFIX
