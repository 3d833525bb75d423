"""What WebAdmin's pages call the things of the data: one name each, everywhere."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext

from app.models import Reach, StaffRole

ROLE_NAMES: Final = {
    StaffRole.OWNER: lazy_gettext("Owner"),
    StaffRole.ADMINISTRATOR: lazy_gettext("Administrator"),
    StaffRole.CUSTOMER_CARE: lazy_gettext("Customer care"),
    StaffRole.AUDITOR: lazy_gettext("Auditor"),
}
REACH_NAMES: Final = {
    Reach.EVERYONE: lazy_gettext("Everyone"),
    Reach.GROUPS: lazy_gettext("Only the people of some groups"),
}
