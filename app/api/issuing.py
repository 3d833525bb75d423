"""Documents for the API: issued for one device, whose thumbprint they are bound to."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from app import logs
from app.activation import services
from app.activation.portal_keys import portal_keys
from app.api.problems import ProblemError
from app.extensions import handfast
from app.keystore.provider import KeyStoreError
from app.keystore.rings import PortalKeys


def issue(
    person_id: str, service_ids: Sequence[str], ticket: str, jkt: str, keys: PortalKeys
) -> services.Issued:
    """Issue a document that only this device can use, or raise ProblemError."""
    here = handfast()
    try:
        return services.issue(
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
    except services.NotAllowedError:
        # The account was removed, by its owner or a better proof, since it was looked at.
        raise ProblemError("not-found") from None


def signing_keys() -> PortalKeys:
    """Return the keys to issue documents with, or raise ProblemError."""
    try:
        return portal_keys()
    except KeyStoreError as error:
        logs.event("no keys to issue with", logging.ERROR, why=str(error), hint=error.hint)
        raise ProblemError("unavailable") from None
