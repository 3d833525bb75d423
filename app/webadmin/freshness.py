"""Sensitive acts ask first whether it is still the same person who sits there."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import redirect, request, url_for

from app.webadmin import gate

View = Callable[..., Any]


def require_fresh(view: View) -> View:
    """Let a view through to who showed who they are within the last minutes; below ``@require``.

    It stands on the form and on what the form leads to: what somebody wrote into a form is lost
    when they are sent away from it, so they are asked before they write.
    """

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if gate.current_staff().is_fresh:
            return view(*args, **kwargs)
        # A change that has no page of its own leads to the first one.
        wanted = request.full_path.rstrip("?") if request.method == "GET" else request.path
        return redirect(url_for("webadmin.confirm", next=wanted), 303)

    return guarded
