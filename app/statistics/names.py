"""What is counted, and under which labels: never a person, an address or a name that one chose."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from app.clock import DAY, HOUR, MINUTE


class Daily(StrEnum):
    """What happens, counted by day."""

    # Labels: Step.
    ACTIVATIONS = "activations"
    # Why activations ended without a device; labels: Ending.
    ENDED = "activations-ended"
    # From the first time it was asked for until a device had keys; labels: of WAITS.
    WAITED = "activations-waited"
    # Labels: the causes of app.mailservers.causes.
    FAILED = "sign-ins-failed"
    # Labels: "provider:KEY", "domain:DOMAIN" for a domain that the operator pinned, or OTHER.
    FAILED_AT = "sign-ins-failed-at"


class Present(StrEnum):
    """What there is, counted every few minutes."""

    # Labels: ENABLED, DISABLED.
    PEOPLE = "people"
    # Active devices; labels: of PLATFORMS, or OTHER.
    DEVICES = "devices"
    # Active keys; labels: of KEY_AGES.
    KEYS = "keys"
    # Activations that wait; labels: of WAITING_AGES.
    WAITING = "waiting"


class Step(StrEnum):
    """How far an activation came on that day."""

    LEFT_WAITING = "left-waiting"
    ISSUED = "issued"
    ACTIVE = "active"
    ENDED = "ended"


class Ending(StrEnum):
    """Why an activation ended without a device."""

    EXPIRED = "expired"
    BURNT = "burnt"
    BY_PERSON = "by-person"
    BY_STAFF = "by-staff"
    BY_OPERATOR = "by-operator"
    BY_SYSTEM = "by-system"


ENABLED: Final = "enabled"
DISABLED: Final = "disabled"
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
# The upper bound of each class in microseconds, and its label; what is beyond the last is LONGER.
LONGER: Final = "longer"
Bounds = tuple[tuple[int, str], ...]
WAITS: Final[Bounds] = (
    (MINUTE, "1m"),
    (5 * MINUTE, "5m"),
    (15 * MINUTE, "15m"),
    (HOUR, "1h"),
    (4 * HOUR, "4h"),
    (DAY, "1d"),
    (3 * DAY, "3d"),
    (7 * DAY, "7d"),
)
WAITING_AGES: Final[Bounds] = ((HOUR, "1h"), (DAY, "1d"), (3 * DAY, "3d"), (7 * DAY, "7d"))
KEY_AGES: Final[Bounds] = (
    (7 * DAY, "7d"),
    (30 * DAY, "30d"),
    (90 * DAY, "90d"),
    (180 * DAY, "180d"),
    (365 * DAY, "365d"),
)
# What devices say that they run on, in Python's word for it, and what people call that.
PLATFORMS: Final = {"Linux": "Linux", "Windows": "Windows", "Darwin": "macOS"}


def class_of(bounds: Bounds, length: int) -> str:
    """Return the label of the class of a length of time; a bound still belongs to its class."""
    return next((label for most, label in bounds if length <= most), LONGER)
