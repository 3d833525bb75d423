"""What the dashboard calls the things that are counted."""

from __future__ import annotations

from typing import Final

from flask_babel import LazyString, lazy_gettext

from app.mailservers.causes import Cause
from app.mailservers.provider_table import PROVIDERS
from app.statistics.names import LONGER, OTHER, UNKNOWN, Ending, Step

Words = dict[str, LazyString]

STEPS: Final = {
    Step.LEFT_WAITING: lazy_gettext("left waiting"),
    Step.ISSUED: lazy_gettext("document or code given out"),
    Step.ACTIVE: lazy_gettext("active"),
    Step.ENDED: lazy_gettext("ended without a device"),
}
ENDINGS: Final[Words] = {
    Ending.EXPIRED: lazy_gettext("nobody used it in time"),
    Ending.BURNT: lazy_gettext("tried too often"),
    Ending.BY_PERSON: lazy_gettext("ended by the person"),
    Ending.BY_STAFF: lazy_gettext("ended by staff"),
    Ending.BY_OPERATOR: lazy_gettext("ended by the operator"),
    Ending.BY_SYSTEM: lazy_gettext("ended with its account"),
}
CAUSES: Final[Words] = {
    Cause.WRONG_CREDENTIAL: lazy_gettext("password not accepted"),
    Cause.UNDECIDED: lazy_gettext("no decision in time"),
    Cause.NAME_NOT_FOUND: lazy_gettext("no such mail server"),
    Cause.NOT_REACHABLE: lazy_gettext("mail server not reachable"),
    Cause.CERTIFICATE: lazy_gettext("wrong certificate"),
    Cause.NOT_A_MAIL_SERVER: lazy_gettext("not a mail server"),
    Cause.NEEDS_APP_PASSWORD: lazy_gettext("needs an app password"),
    Cause.NEEDS_PROVIDER_SIGN_IN: lazy_gettext("needs the provider's own page"),
    Cause.BUSY: lazy_gettext("too many at once"),
    Cause.REFUSED_ADDRESS: lazy_gettext("mail server at a refused address"),
    UNKNOWN: lazy_gettext("not known any more"),
}
WAITS: Final[Words] = {
    "1m": lazy_gettext("up to a minute"),
    "5m": lazy_gettext("up to 5 minutes"),
    "15m": lazy_gettext("up to 15 minutes"),
    "1h": lazy_gettext("up to an hour"),
    "4h": lazy_gettext("up to 4 hours"),
    "1d": lazy_gettext("up to a day"),
    "3d": lazy_gettext("up to 3 days"),
    "7d": lazy_gettext("up to a week"),
    LONGER: lazy_gettext("longer"),
}
AGES: Final[Words] = {
    "1h": lazy_gettext("up to an hour"),
    "1d": lazy_gettext("up to a day"),
    "3d": lazy_gettext("up to 3 days"),
    "7d": lazy_gettext("up to a week"),
    "30d": lazy_gettext("up to 30 days"),
    "90d": lazy_gettext("up to 90 days"),
    "180d": lazy_gettext("up to half a year"),
    "365d": lazy_gettext("up to a year"),
    LONGER: lazy_gettext("older"),
}
OTHERS: Final = lazy_gettext("other")
_PROVIDERS: Final = {provider.key: provider.name for provider in PROVIDERS}


def provider_name(label: str) -> str | LazyString:
    """Return the name of a provider, or a domain that the operator pinned."""
    kind, _, name = label.partition(":")
    if label == OTHER or not name:
        return OTHERS
    return _PROVIDERS.get(name, name) if kind == "provider" else name
