"""Pages for who is on the way in: a password is given, or a one-time link was opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import abort, redirect, url_for

from app.models import StaffStage
from app.webadmin import gate

View = Callable[..., Any]


def at_stage(stage: StaffStage) -> Callable[[View], View]:
    """Let a view through to sessions at this stage; others begin at the beginning."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if gate.visit().stage != stage:
                return redirect(url_for("webadmin.sign_in"), 303)
            return view(*args, **kwargs)

        return guarded

    return guard


def session_id() -> str:
    """Return the session that is on its way."""
    return gate.visit().browser.session_id or abort(401)
