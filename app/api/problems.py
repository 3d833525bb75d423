"""Errors of the API as problem details (RFC 9457): every code, its status and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from flask import Response
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from app import logs
from app.api.messages import ClaimOutcome, Problem
from app.extensions import handfast

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True)
class Kind:
    """One kind of problem: its status, what happened, and what to do."""

    status: int
    title: LazyString
    detail: LazyString


KINDS: Final = {
    "malformed": Kind(
        400,
        _("The request was not understood."),
        _("Something in it is missing, unknown or damaged."),
    ),
    "unknown-cursor": Kind(
        404, _("The cursor names nothing any more."), _("Begin the list again without it.")
    ),
    "wrong-host": Kind(
        400, _("This host is not served here."), _("Use the address of this service.")
    ),
    "sign-in-needed": Kind(
        401,
        _("This needs a signed-in client."),
        _("Sign in again: the token is missing, has ended, or is not ours."),
    ),
    "nobody-accepted": Kind(
        403,
        _("No account shows who you are."),
        _("The list of accounts says what to do about each."),
    ),
    "device-revoked": Kind(
        403,
        _("This device was revoked."),
        _("Its owner can let it activate again, on the page of the device."),
    ),
    "person-disabled": Kind(
        403,
        _("You may not sign in here any more."),
        _("Ask the people who run this service why, and whether that can change."),
    ),
    "start-anew": Kind(
        409,
        _("The address may be somebody else's by now."),
        _("Sign in with it on the page of the portal, and say there whose it is."),
    ),
    "not-allowed": Kind(403, _("This was not allowed."), _("It may come from another site.")),
    "not-permitted": Kind(
        403,
        _("This token may not do that."),
        _("Its scopes, or the role of whoever made it, do not reach that far."),
    ),
    "colleague": Kind(
        403,
        _("This person works here."),
        _("Only somebody who manages staff may act on them."),
    ),
    "not-found": Kind(
        404,
        _("There is no such thing."),
        _("There is nothing at this address, or it is not yours."),
    ),
    "method": Kind(
        405,
        _("This address cannot be used like that."),
        _("The answer's Allow header says how it can."),
    ),
    "not-waiting": Kind(
        409,
        _("This activation does not wait for a device."),
        _("It has ended, or another device is completing it. Begin a new one."),
    ),
    "ended": Kind(
        409,
        _("It has ended already."),
        _("Activate the device again to get new keys."),
    ),
    "address-taken": Kind(
        409,
        _("This address is set up already."),
        _("Somebody has it, or was invited by it. Look for the person instead."),
    ),
    "name-taken": Kind(
        409,
        _("There is one of that name."),
        _("Choose another name, or use the one that there is."),
    ),
    "key-used-before": Kind(
        422,
        _("This Idempotency-Key was used for another request."),
        _("Use a new one for each request, and the same one only to repeat it."),
    ),
    "unusable": Kind(
        422,
        _("A value in it cannot be used."),
        _("It has the right form and still means nothing here."),
    ),
    "too-large": Kind(
        413, _("That was too much."), _("What was sent is larger than 64 KiB. Send less.")
    ),
    "not-json": Kind(
        415, _("This is not JSON."), _("Send JSON with Content-Type: application/json.")
    ),
    "too-many": Kind(
        429,
        _("Too many attempts in a short time."),
        _("This one was not made, and nothing is locked. Wait a little."),
    ),
    "bug": Kind(
        500,
        _("Something went wrong here."),
        _("It is our fault. If it happens again, give the operator the id."),
    ),
    "unavailable": Kind(
        503,
        _("The service could not do this now."),
        _("Try again in a few seconds; asking again is safe."),
    ),
}
BY_STATUS: Final = {
    400: "malformed",
    401: "sign-in-needed",
    403: "not-allowed",
    404: "not-found",
    405: "method",
    413: "too-large",
    415: "not-json",
    429: "too-many",
    500: "bug",
    503: "unavailable",
}


class ProblemError(Exception):
    """The request ends with this kind of problem."""

    def __init__(
        self, code: str, detail: str | None = None, *, accounts: Sequence[ClaimOutcome] = ()
    ) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.accounts = tuple(accounts)


def answer(
    code: str,
    detail: str | None = None,
    *,
    accounts: Sequence[ClaimOutcome] = (),
    status: int | None = None,
) -> Response:
    """Return the answer for one kind of problem."""
    kind = KINDS[code]
    problem = Problem(
        type=f"{handfast().config.issuer}/api#problem-{code}",
        title=str(kind.title),
        status=status or kind.status,
        code=code,
        id=logs.request_id(),
        detail=detail or str(kind.detail),
        accounts=list(accounts) or msgspec.UNSET,
    )
    response = Response(msgspec.json.encode(problem), problem.status, content_type=MEDIA_TYPE)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="handfast"'
    return response


def answer_of_status(status: int) -> Response:
    """Return the answer for an error that only its HTTP status is known of."""
    known = status if status in BY_STATUS else 500 if status >= 500 else 400
    return answer(BY_STATUS[known], status=status)
