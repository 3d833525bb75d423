"""What the pages call the things of the data: one name each, everywhere."""

from __future__ import annotations

from typing import Final

from flask_babel import lazy_gettext

from app.mailservers.server import VouchedBy
from app.models import ServiceName, StaffRole

SERVICE_NAMES: Final = {
    ServiceName.MAIL: lazy_gettext("Mail"),
    ServiceName.CONTACTS: lazy_gettext("Contacts"),
    ServiceName.CALENDAR: lazy_gettext("Calendar"),
}

# After the name of somebody who did something for a person.
STAFF_ROLES: Final = {
    StaffRole.OWNER: lazy_gettext("owner of this service"),
    StaffRole.ADMINISTRATOR: lazy_gettext("administrator"),
    StaffRole.CUSTOMER_CARE: lazy_gettext("customer care"),
    StaffRole.AUDITOR: lazy_gettext("auditor"),
}

VOUCHERS: Final = {
    VouchedBy.PIN: lazy_gettext("The operator of this service named its mail server."),
    VouchedBy.TABLE: lazy_gettext("Its mail provider is known to this service."),
    VouchedBy.AUTOCONFIG: lazy_gettext("Its domain names this mail server on its own web site."),
    VouchedBy.SRV: lazy_gettext("Its domain names this mail server in the DNS."),
    VouchedBy.STAFF: lazy_gettext("An administrator set it up; nobody has signed in with it yet."),
    VouchedBy.CHALLENGE: lazy_gettext("Its reader answered a mail that was sent to it."),
    VouchedBy.MANUAL: lazy_gettext("You named its mail server yourself, which proves nothing."),
}
