"""What every request must satisfy and every answer carries, errors included."""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, abort, g, request
from werkzeug.wrappers import Response

from app import areas
from app.api.area import is_api
from app.clock import SECOND
from app.config import PortalConfig
from app.extensions import handfast
from app.readers import NoPlaceError, Readers
from app.throttle import TooManyError

MAX_BODY: Final = 64 * 1024
# Lists of people are larger, and only staff who may import get as far as sending one.
LARGEST: Final = {
    "webadmin.upload_list": 32 * 1024 * 1024,
    "admin_api.admin_create_import": 16 * 1024 * 1024,
    "admin_api.admin_invite_many": 1024 * 1024,
}
# Of a list that was pasted into its form.
MOST_PASTED: Final = 1024 * 1024
CSRF_FIELD: Final = "csrf_token"
# In an answer to a page's script, where the form on that page needs another one from now on.
CSRF_HEADER: Final = "Handfast-Form-Token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY: Final = 5 * SECOND

POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS: Final = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With "no-referrer" browsers would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class CrossSiteError(Exception):
    """A change was asked for by another site, or without this session's token."""


def install(portal: Flask, config: PortalConfig) -> None:
    """Accept our own host only, refuse cross-site changes, set the headers."""
    portal.config["TRUSTED_HOSTS"] = [urlsplit(config.issuer).hostname]
    portal.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    portal.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    portal.config["MAX_FORM_PARTS"] = 200
    # A redirect to a tidier path would name whatever port the Host header names.
    portal.url_map.merge_slashes = False
    readers = Readers()
    portal.before_request(lambda: _receive(readers))
    portal.before_request(_refuse_cross_site)
    portal.after_request(_set_headers)


def allow_frame() -> None:
    """Let this page hold a frame of our own origin (the activation page does)."""
    g.allow_frame = True


def allow_being_framed() -> None:
    """Let a page of our own origin hold this page in a frame."""
    g.allow_being_framed = True


def announces_body() -> bool:
    """Tell by its header alone whether a body comes with the request; nothing is waited for."""
    length = request.headers.get("Content-Length", "0")
    return "Transfer-Encoding" in request.headers or length.strip() not in {"", "0"}


def _receive(readers: Readers) -> None:
    """Wait for the whole body in a place of its own, so that slow senders hold up themselves."""
    if request.endpoint is None:
        return
    if request.method in SAFE_METHODS:
        if announces_body():
            # No page asks for one, and reading it is what a slow sender would have us do.
            abort(400)
        return
    # Always: over HTTP/2 a body may come without having been announced.
    try:
        with readers.reading(request.remote_addr or ""):
            _read()
    except NoPlaceError:
        raise TooManyError(handfast().clock.now() + RETRY) from None


def _read() -> None:
    largest = LARGEST.get(request.endpoint or "")
    if largest is None:
        request.get_data()
        return
    request.max_content_length = largest
    if request.mimetype == "multipart/form-data":
        request.max_form_memory_size = MOST_PASTED
        # What is in it goes to a file that only this process can open, and not into memory.
        request.files  # noqa: B018  # looking at it is what reads it
    else:
        request.get_data()


def _refuse_cross_site() -> None:
    if request.method in SAFE_METHODS or request.endpoint is None:
        return
    # The API looks at no cookie, so there is nothing that another site could borrow.
    if not _is_same_site() or not (is_api() or _has_token()):
        raise CrossSiteError


def _is_same_site() -> bool:
    """Believe the browser about where the request comes from, where it says so."""
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site")
    return origin in {None, handfast().config.issuer} and site in {None, "same-origin"}


def _has_token() -> bool:
    given = request.form.get(CSRF_FIELD, "")
    return hmac.compare_digest(given.encode(), areas.this_browser().csrf.encode())


def _set_headers(response: Response) -> Response:
    policy = dict(POLICY)
    if g.get("allow_frame"):
        policy["frame-src"] = "'self'"
    if g.get("allow_being_framed"):
        policy["frame-ancestors"] = "'self'"
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
    # An activation document brings its own policy, which is stricter still.
    response.headers.setdefault(
        "Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items())
    )
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static" and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
