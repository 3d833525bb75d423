"""Errors as people and programs meet them: translated once, here."""

from __future__ import annotations

import logging
from typing import Any, Final

from flask import (
    Flask,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import LazyString, lazy_gettext
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from app import logs
from app.admin_api.holder import NotPermittedError
from app.api import problems
from app.api.area import is_api
from app.clock import SECOND
from app.database import DatabaseUnavailableError
from app.extensions import handfast
from app.security import CrossSiteError
from app.staff.members import MemberMissingError, NotYoursError
from app.staff.passwords import BusyError
from app.staff.reach import ColleagueError, OutOfReachError
from app.staff.sessions import EndedError
from app.throttle import TooManyError
from app.webadmin.area import PREFIX, is_webadmin

# Status: title, what happened, what to do.
PAGES: Final = {
    400: (
        lazy_gettext("This request was not understood"),
        lazy_gettext("Something in it was missing or damaged."),
        lazy_gettext("Go back, reload the page and try again."),
    ),
    401: (
        lazy_gettext("Please sign in"),
        lazy_gettext("This page is for people who are signed in."),
        lazy_gettext("Sign in and try again."),
    ),
    403: (
        lazy_gettext("This was not allowed"),
        lazy_gettext("The page you came from may be too old, or it belongs to another site."),
        lazy_gettext("Open the page again and repeat it. This site must be allowed a cookie."),
    ),
    404: (
        lazy_gettext("Page not found"),
        lazy_gettext("There is nothing at this address, or it is not yours."),
        lazy_gettext("Check the address, or start from the first page."),
    ),
    405: (
        lazy_gettext("This page cannot be used like that"),
        lazy_gettext("It answers to a form and not to an address typed in."),
        lazy_gettext("Start from the first page."),
    ),
    413: (
        lazy_gettext("That was too much"),
        lazy_gettext("What was sent is larger than this page takes."),
        lazy_gettext("Send less at a time."),
    ),
    429: (
        lazy_gettext("Too many attempts"),
        lazy_gettext("There were many attempts in a short time, so this one was not made."),
        lazy_gettext("Nothing is locked; just wait a little."),
    ),
    500: (
        lazy_gettext("Something went wrong here"),
        lazy_gettext("It is our fault and not yours."),
        lazy_gettext("Try again; if it happens again, give the operator the reference below."),
    ),
    503: (
        lazy_gettext("Not available for a moment"),
        lazy_gettext("The service could not do this now."),
        lazy_gettext("Try again in a few seconds."),
    ),
}
NOT_YOUR_ROLE: Final = (
    lazy_gettext("Your role does not allow this"),
    lazy_gettext("You are signed in, and this is for others who work here."),
    lazy_gettext("Ask a colleague who may do it, or an administrator for another role."),
)
COLLEAGUE: Final = (
    lazy_gettext("This person works here"),
    lazy_gettext("Only who manages staff may do something to a colleague."),
    lazy_gettext("Ask an administrator to do it."),
)
NOT_YOURS: Final = (
    lazy_gettext("This is not yours to change"),
    lazy_gettext(
        "Nobody changes what they may do themselves, gives what they do not have, or changes "
        "somebody who may do more or reaches further."
    ),
    lazy_gettext("Ask somebody who may do more than you."),
)


def install(portal: Flask) -> None:
    """Answer every error in the portal's dress, or as JSON where that was asked for."""
    portal.register_error_handler(HTTPException, _http)
    portal.register_error_handler(CrossSiteError, _cross_site)
    portal.register_error_handler(TooManyError, _too_many)
    portal.register_error_handler(OutOfReachError, _out_of_reach)
    portal.register_error_handler(ColleagueError, _colleague)
    portal.register_error_handler(MemberMissingError, _out_of_reach)
    portal.register_error_handler(NotYoursError, lambda _: page(403, told=NOT_YOURS))
    portal.register_error_handler(EndedError, _ended)
    portal.register_error_handler(BusyError, _busy)
    portal.register_error_handler(DatabaseUnavailableError, _unavailable)
    portal.register_error_handler(problems.ProblemError, _problem)
    portal.register_error_handler(NotPermittedError, lambda _: problems.answer("not-permitted"))
    portal.register_error_handler(Exception, _bug)


def wants_json() -> bool:
    """Tell whether the caller is a program: it asks for JSON before HTML."""
    return request.accept_mimetypes.best == "application/json"


def _http(error: HTTPException) -> Response:
    if isinstance(error, SecurityError) and is_api():
        return problems.answer("wrong-host")
    if isinstance(error, SecurityError):
        # The host is not ours, so no address of a page can be made: plain text it is.
        return Response(
            f"{_('This host is not served here.')}\n", status=400, mimetype="text/plain"
        )
    if error.response is not None:
        return error.get_response()
    status = error.code or 500
    if is_api():
        response: Response = problems.answer_of_status(status)
    else:
        # The gate refuses only those who are signed in.
        told = NOT_YOUR_ROLE if status == 403 and is_webadmin() else None
        response = page(status if status in PAGES else 400, status=status, told=told)
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def _cross_site(_error: CrossSiteError) -> Response:
    logs.event("refused cross-site", logging.WARNING)
    return _answer(403)


def _too_many(error: TooManyError) -> Response:
    handfast().metrics.count_throttled()
    wait = max(1, (error.retry_at - handfast().clock.now()) // SECOND + 1)
    response = _answer(429, minutes=-(-wait // 60))
    response.headers["Retry-After"] = str(wait)
    return response


def _out_of_reach(_error: Exception) -> Response:
    # Exactly as for somebody who is not there at all.
    return _answer(404)


def _colleague(_error: ColleagueError) -> Response:
    return problems.answer_of_status(403) if is_api() else page(403, told=COLLEAGUE)


def _ended(_: EndedError) -> Response:
    """A session of staff ended while its request was under way: they sign in again."""
    return redirect(url_for("webadmin.sign_in"), 303)


def _busy(_error: BusyError) -> Response:
    logs.event("passwords are busy", logging.WARNING)
    response = _answer(503)
    response.headers["Retry-After"] = "5"
    return response


def _unavailable(error: DatabaseUnavailableError) -> Response:
    handfast().metrics.count_database_error()
    logs.log.error("database unavailable", exc_info=error)
    response = _answer(503)
    response.headers["Retry-After"] = "5"
    return response


def _bug(error: Exception) -> Response:
    logs.log.error("unexpected error", exc_info=error)
    return _answer(500)


def _problem(error: problems.ProblemError) -> Response:
    response = problems.answer(error.code, error.detail, accounts=error.accounts)
    if response.status_code == 503:
        response.headers["Retry-After"] = "5"
    return response


def _answer(kind: int, **facts: Any) -> Response:
    return problems.answer_of_status(kind) if is_api() else page(kind, **facts)


def page(
    kind: int,
    *,
    status: int | None = None,
    told: tuple[LazyString, LazyString, LazyString] | None = None,
    **facts: Any,
) -> Response:
    """Return the error page of a kind, with the reference that is in the log."""
    title, what, hint = told or PAGES[kind]
    status = status or kind
    if wants_json():
        response = jsonify(status=status, title=str(title), hint=str(hint), id=logs.request_id())
        response.status_code = status
        return response
    facts |= {"title": title, "what": what, "hint": hint, "reference": logs.request_id()}
    facts["first_page"] = PREFIX if is_webadmin() else "/"
    if status < 500:
        return make_response(render_template("errors/error.html", **facts), status)
    # What pages show around themselves may be what is broken, so it is left out here.
    template = current_app.jinja_env.get_template("errors/error.html")
    return make_response(
        template.render(service_name=handfast().config.service_name, **facts), status
    )
