"""What pages say about staff."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext

from app.models import StaffRole
from app.staff.passwords import Weakness

WEAKNESSES: Final = {
    Weakness.SHORT: lazy_gettext("Use at least 8 characters."),
    Weakness.LONG: lazy_gettext("Use at most 256 characters."),
    Weakness.COMMON: lazy_gettext(
        "This password is easily guessed: it is common, or made of names that belong to you. "
        "Take four or five words that have nothing to do with each other."
    ),
}
ROLES_EXPLAINED: Final = {
    StaffRole.OWNER: lazy_gettext("May do everything, and is the only one to make owners."),
    StaffRole.ADMINISTRATOR: lazy_gettext(
        "Looks after people and staff, imports, exports and deletes."
    ),
    StaffRole.CUSTOMER_CARE: lazy_gettext(
        "Sets people up, and revokes their devices and keys. Sees no staff and no audit."
    ),
    StaffRole.AUDITOR: lazy_gettext("Sees everything there is to see, and changes nothing."),
}
