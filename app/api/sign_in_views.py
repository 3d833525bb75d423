"""Signing a client in, with or without activating its device, and ending its sessions."""

from __future__ import annotations

from typing import Final

from flask import request
from flask_babel import lazy_gettext as _

from app.accounts import sessions
from app.api import claiming
from app.api.issuing import issue, signing_keys
from app.api.messages import Activated, ActivationRequest, SessionRequest, SessionView, SignedIn
from app.api.operations import api
from app.api.pages import Asked, page_of
from app.api.problems import ProblemError
from app.clock import seconds
from app.extensions import handfast
from app.permissions import current_person
from app.signed_in import services as signed_in

CLAIMING: Final = (
    "nobody-accepted",
    "device-revoked",
    "person-disabled",
    "start-anew",
    "too-many",
)


@api.add(
    "POST",
    "/activations",
    _("Sign in with one or several accounts and get the document that activates this device."),
    needs=None,
    heeds_token=True,
    takes=ActivationRequest,
    gives=Activated,
    problems=CLAIMING,
)
def activate(asked: ActivationRequest) -> Activated:
    """Check all accounts, sign in, and issue one document with a grant per service.

    With a token they join the accounts of its person, so that one tried again later does too.
    """
    keys = signing_keys()
    # A token that is worth nothing is an error: without it the accounts would be another person's.
    known = None if request.authorization is None else current_person().id
    claimed = claiming.sign_in(asked.accounts, asked.device, known=known)
    issued = issue(claimed.session.person_id, claimed.wanted, asked.ticket, asked.device.jkt, keys)
    return Activated(
        claimed.session.token,
        seconds(claimed.session.expires_at),
        issued.document.decode(),
        issued.activation_id,
        claimed.outcomes,
    )


@api.add(
    "POST",
    "/sessions",
    _("Sign in with one account, without activating anything."),
    needs=None,
    takes=SessionRequest,
    gives=SignedIn,
    problems=CLAIMING,
)
def sign_in(asked: SessionRequest) -> SignedIn:
    """Check the account and sign in."""
    claimed = claiming.sign_in(asked.accounts, asked.device)
    expires_at = seconds(claimed.session.expires_at)
    return SignedIn(claimed.session.token, expires_at, claimed.outcomes)


@api.add(
    "GET",
    "/sessions",
    _("List where you are signed in: browsers, and clients of devices."),
    gives=list[SessionView],
    paged=True,
)
def list_sessions(page: Asked) -> list[SessionView]:
    """List the living sessions, this one first."""
    here, person = handfast(), current_person()
    with here.database.read() as database:
        found = signed_in.list_sessions(
            database, person.id, person.session_id, now=here.clock.now()
        )
    return [_view(each) for each in page_of(found, page, lambda each: each.id)]


@api.add("DELETE", "/sessions/current", _("Sign out: the token is worth nothing any more."))
def sign_out() -> None:
    """End the session that this request came with."""
    _end(current_person().session_id)


@api.add("DELETE", "/sessions/<session_id>", _("End one of your sessions."))
def end_session(session_id: str) -> None:
    """End one session, of a browser or of a client."""
    if not _end(session_id):
        raise ProblemError("not-found")


def _end(session_id: str) -> bool:
    here, person = handfast(), current_person()
    with here.database.write() as database:
        return sessions.end(
            database, session_id, person.id, by_session=person.session_id, now=here.clock.now()
        )


def _view(session: signed_in.SessionView) -> SessionView:
    return SessionView(
        id=session.id,
        kind=session.kind,
        name=session.device or " / ".join(filter(None, (session.browser, session.system))),
        address=session.address,
        started_at=seconds(session.started_at),
        seen_at=seconds(session.seen_at),
        expires_at=seconds(session.ends_at),
        current=session.is_this,
    )
