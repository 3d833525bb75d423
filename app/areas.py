"""Two areas, two cookies: which browser session a request, its forms and its page are about."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, has_request_context

from app import web_session
from app.web_session import Browser, seconds_left
from app.webadmin import gate
from app.webadmin.area import is_webadmin


def install(portal: Flask) -> None:
    """Tell every page of the session behind it, in whichever area it is."""
    gate.install(portal)
    portal.context_processor(_for_pages)


def this_browser() -> Browser:
    """Return this request's browser as its area knows it."""
    return gate.visit().browser if is_webadmin() else web_session.browser()


def csrf_token() -> str:
    """Return the token for a form; the browser gets its cookie with the page."""
    g.csrf_used = True
    return this_browser().csrf


def _for_pages() -> dict[str, Any]:
    if not has_request_context():
        return {}
    return {
        "csrf_token": csrf_token,
        "this_browser": this_browser,
        "session_seconds_left": lambda: seconds_left(this_browser().ends_at),
    }
