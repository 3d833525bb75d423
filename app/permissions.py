"""Deny by default: every request is asked for the permission that its route needs.

Every route is classified in one of two ways, or the portal refuses to be built:

* its endpoint stands in ``PUBLIC`` below: anybody may see it, signed in or not;
* its view carries ``@require(Permission.…)``, directly below the ``@blueprint.get`` line::

      @blueprint.get("/devices")
      @require(Permission.OWN)
      def devices() -> str:
          person = current_person()   # never None behind a permission
          ...

``app.rights`` lists the permissions and who has them; ``Permission.OWN`` is for people who signed
in to the portal, every other one for staff behind WebAdmin's gate. A permission says what kind of
act it is; that the *object* belongs to the person, or is within a member of staff's reach, is the
service's check, and a foreign object answers exactly like a missing one (404).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from app.accounts.visitor import SignedIn
from app.admin_api import holder
from app.api.area import is_api
from app.errors import wants_json
from app.rights import Permission, permissions_of
from app.webadmin import gate

View = TypeVar("View", bound=Callable[..., Any])


# The short public list, by endpoint.
PUBLIC: Final = frozenset(
    {
        "static",
        "accounts.sign_in",
        "accounts.begin",
        "accounts.progress",
        "accounts.status",
        "accounts.give_credential",
        "accounts.finish",
        "api.activate",
        "api.sign_in",
        "api.describe",
        "admin_api.admin_describe",
        "api_page.index",
        "client.index",
        "client.download",
        "well_known.keys",
        "well_known.trust",
        "well_known.health",
        "metrics.ready",
        "webadmin.sign_in",
        "webadmin.give_password",
        "webadmin.second",
        "webadmin.give_code",
        "webadmin.passkey_options",
        "webadmin.give_passkey",
        # Behind a one-time link; each asks at which stage the session is.
        "webadmin.welcome",
        "webadmin.open_link",
        "webadmin.welcome_password",
        "webadmin.choose_password",
        "webadmin.welcome_factor",
        "webadmin.welcome_authenticator",
        "webadmin.welcome_passkey_options",
        "webadmin.welcome_passkey",
        "webadmin.welcome_codes",
        "webadmin.make_welcome_codes",
        "webadmin.finish_welcome",
    }
)


class UnclassifiedRouteError(Exception):
    """A route is neither public nor needs a permission."""


def require(permission: Permission) -> Callable[[View], View]:
    """Classify a view: it needs this permission."""

    def classify(view: View) -> View:
        view.handfast_permission = permission  # type: ignore[attr-defined]  # a mark on a function
        return view

    return classify


def current_person() -> SignedIn:
    """Return who is signed in; answers 401 where nobody is."""
    person = current_user._get_current_object()
    if not isinstance(person, SignedIn):
        abort(401)
    return person


def is_signed_in() -> bool:
    """Tell whether somebody is signed in, for pages that anybody may see."""
    return isinstance(current_user._get_current_object(), SignedIn)


def permission_of(portal: Flask, endpoint: str) -> Permission | None:
    """Return what an endpoint needs, None when it is public."""
    needed = getattr(portal.view_functions[endpoint], "handfast_permission", None)
    if isinstance(needed, Permission) and endpoint not in PUBLIC:
        return needed
    if needed is None and endpoint in PUBLIC:
        return None
    raise UnclassifiedRouteError(endpoint)


def install(portal: Flask) -> None:
    """Ask every request for its permission, before anything else looks at it."""
    portal.before_request(_authorise)


def check_every_route(portal: Flask) -> None:
    """Raise UnclassifiedRouteError unless every route is classified exactly once."""
    for rule in portal.url_map.iter_rules():
        permission_of(portal, rule.endpoint)


def _authorise() -> Response | None:
    if request.endpoint is None:
        return None
    needed = permission_of(current_app, request.endpoint)
    if needed is None:
        return None
    if needed is not Permission.OWN:
        # A token of staff in the API, a session of staff everywhere else; neither is the other.
        if not is_api():
            return gate.authorise(needed)
        holder.authorise(needed)
        return None
    if not is_signed_in():
        return _ask_to_sign_in()
    if not any(needed in permissions_of(role) for role in current_person().roles):
        abort(403)
    return None


def _ask_to_sign_in() -> Response:
    if is_api() or wants_json():
        abort(401)
    wanted = request.path if request.method == "GET" else None
    return redirect(url_for("accounts.sign_in", next=wanted), code=303)
