"""What the services of staff need, from this request."""

from __future__ import annotations

from typing import Final, cast

from flask import current_app

from app import web_session
from app.activation.portal_keys import portal_keys
from app.extensions import handfast
from app.staff.here import StaffHere
from app.staff.passwords import Hasher

NAME: Final = "handfast-staff-hasher"


def staff_here() -> StaffHere:
    """Return the surroundings of this request."""
    here = handfast()
    return StaffHere(
        now=here.clock.now(),
        entropy=here.entropy,
        keys=portal_keys,
        hasher=_hasher(),
        issuer=here.config.issuer,
        service_name=here.config.service_name,
        client=web_session.client(),
    )


def _hasher() -> Hasher:
    # Made at first use, since making it takes as long as checking a password.
    found = current_app.extensions.get(NAME)
    if found is None:
        found = current_app.extensions.setdefault(NAME, Hasher())
    return cast(Hasher, found)
