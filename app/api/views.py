"""The operations of the API: each reads, calls one service, and answers."""

from __future__ import annotations

import logging

from app import logs
from app.activation import services as activations
from app.activation.portal_keys import portal_keys
from app.api import claiming
from app.api.messages import Activated, ActivationRequest, SessionRequest, SignedIn
from app.api.operations import Operations
from app.api.problems import ProblemError
from app.clock import seconds
from app.extensions import handfast
from app.keystore.provider import KeyStoreError
from app.keystore.rings import PortalKeys

api = Operations("api")
CLAIMING = ("nobody-accepted", "device-revoked", "too-many")


@api.add(
    "POST",
    "/activations",
    "Sign in with one or several accounts and get the document that activates this device.",
    needs=None,
    takes=ActivationRequest,
    gives=Activated,
    problems=CLAIMING,
)
def activate(asked: ActivationRequest) -> Activated:
    """Check all accounts, sign in, and issue one document with a grant per service."""
    keys = signing_keys()
    claimed = claiming.sign_in(asked.accounts, asked.device)
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
    "Sign in with one account, without activating anything.",
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


def issue(
    person_id: str, service_ids: list[str], ticket: str, jkt: str, keys: PortalKeys
) -> activations.Issued:
    """Issue a document that only this device can use."""
    here = handfast()
    try:
        return activations.issue(
            here.database,
            person_id=person_id,
            account_service_ids=service_ids,
            ticket=ticket,
            now=here.clock.now(),
            entropy=here.entropy,
            keys=keys,
            config=here.config,
            bound_jkt=jkt,
        )
    except activations.NotAllowedError:
        # The account was removed, by its owner or a better proof, since it was looked at.
        raise ProblemError("not-found") from None


def signing_keys() -> PortalKeys:
    """Return the keys to issue documents with, or raise ProblemError."""
    try:
        return portal_keys()
    except KeyStoreError as error:
        logs.event("no keys to issue with", logging.ERROR, why=str(error), hint=error.hint)
        raise ProblemError("unavailable") from None
