"""What every request of the API must satisfy, and what every answer of it carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from flask import g, request
from werkzeug.wrappers import Response

from app import web_session
from app.admin_api import holder
from app.api.operations import admin_api, api
from app.clock import SECOND
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.permissions import current_person, is_signed_in
from app.security import SAFE_METHODS, CrossSiteError
from app.throttle import PER_ADDRESS, PER_SESSION, PER_TOKEN, Limit, Quota, TooManyError

LIMITS: Final = (PER_ADDRESS, PER_SESSION)
LIMITS_OF_TOKENS: Final = (PER_ADDRESS, PER_TOKEN)
# Anybody may follow a link to them from anywhere.
LINKED: Final = frozenset({"api.describe", "admin_api.admin_describe"})


@admin_api.blueprint.before_request
@api.blueprint.before_request
def _refuse_other_sites() -> None:
    """Refuse even to be read by scripts of another site; no answer ever allows that (CORS)."""
    site = request.headers.get("Sec-Fetch-Site")
    if request.endpoint not in LINKED and site not in {None, "same-origin", "none"}:
        raise CrossSiteError


@api.blueprint.before_request
def _count_session() -> None:
    if is_signed_in():
        _count(handfast().throttles.count_session, current_person().session_id)


@admin_api.blueprint.before_request
def _count_token() -> None:
    shown = holder.holder()
    if shown is not None:
        _count(partial(handfast().throttles.count, PER_TOKEN), shown.id)


def _count(counter: Callable[..., Quota], whose: str) -> None:
    try:
        quota = counter(whose, now=handfast().clock.now())
    except TooManyError as error:
        # The answer that refuses tells of the limit too.
        g.quota = error.quota
        raise
    except DatabaseUnavailableError:
        # What can be read is shown even while nothing can be written.
        if request.method not in SAFE_METHODS:
            raise
        return
    g.quota = quota


@api.blueprint.after_request
def _tell(response: Response) -> Response:
    """Tell the limits (IETF draft "RateLimit header fields for HTTP") and the next page."""
    quota = g.get("quota")
    if quota is None and not is_signed_in():
        quota = _quota_of_address()
    return _told(response, quota, LIMITS)


@admin_api.blueprint.after_request
def _tell_program(response: Response) -> Response:
    return _told(response, g.get("quota") or _quota_of_address(), LIMITS_OF_TOKENS)


def _told(response: Response, quota: Quota | None, limits: Sequence[Limit]) -> Response:
    response.headers["RateLimit-Policy"] = ", ".join(map(_policy, limits))
    if quota is not None:
        response.headers["RateLimit"] = _rest(quota)
    if "next_page" in g and response.status_code == 200:
        response.headers["Link"] = f'<{g.next_page}>; rel="next"'
    return response


def _quota_of_address() -> Quota | None:
    here = handfast()
    with suppress(DatabaseUnavailableError):
        address = web_session.client().address
        return here.throttles.left_of_address(address, now=here.clock.now())
    return None


def _policy(limit: Limit) -> str:
    return f'"{limit.name}";q={limit.count};w={limit.window // SECOND}'


def _rest(quota: Quota) -> str:
    wait = max(0, -(-(quota.resets_at - handfast().clock.now()) // SECOND))
    return f'"{quota.limit.name}";r={quota.left};t={wait}'
