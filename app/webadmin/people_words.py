"""What the pages of people call their states, filters and lists."""

from __future__ import annotations

from typing import Final

from flask_babel import LazyString, lazy_gettext

from app.outbox.kinds import MailKind
from app.people.conditions import PeopleState
from app.provisioning.addresses import Claim
from app.statistics.names import PLATFORMS

# How a state looks as a badge, and what it is called.
STATES: Final[dict[PeopleState, tuple[str, LazyString]]] = {
    PeopleState.ACTIVE: ("good", lazy_gettext("active")),
    PeopleState.WAITING: ("warn", lazy_gettext("waiting for device")),
    PeopleState.INVITED: ("warn", lazy_gettext("invited")),
    PeopleState.NO_KEY: ("", lazy_gettext("no key")),
    PeopleState.DISABLED: ("bad", lazy_gettext("disabled")),
    PeopleState.UNPROVEN: ("", lazy_gettext("address unproven")),
    PeopleState.BOUNCED: ("bad", lazy_gettext("mail came back")),
}

# What the lists of people's things can be about.
THING_STATES: Final[dict[str, list[tuple[str, LazyString]]]] = {
    "accounts": [
        ("", lazy_gettext("all")),
        ("proven", lazy_gettext("proven")),
        ("unproven", lazy_gettext("unproven")),
        ("bounced", lazy_gettext("mail came back")),
    ],
    "devices": [
        ("", lazy_gettext("all")),
        ("active", lazy_gettext("active")),
        ("unconfirmed", lazy_gettext("not confirmed yet")),
        ("revoked", lazy_gettext("revoked")),
        ("wiping", lazy_gettext("removal asked for")),
        ("wiped", lazy_gettext("keys removed")),
    ],
    "activations": [
        ("waiting", lazy_gettext("waiting for device")),
        ("used", lazy_gettext("used")),
        ("ended", lazy_gettext("ended without a device")),
        ("code", lazy_gettext("by typed code")),
        ("", lazy_gettext("all")),
    ],
    "keys": [
        ("", lazy_gettext("all")),
        ("active", lazy_gettext("active")),
        ("unproven", lazy_gettext("not used yet")),
        ("due", lazy_gettext("due for replacement")),
        ("retired", lazy_gettext("replaced")),
        ("revoked", lazy_gettext("revoked")),
    ],
    "sessions": [
        ("", lazy_gettext("all")),
        ("browser", lazy_gettext("in a browser")),
        ("client", lazy_gettext("with Handfast on a device")),
    ],
}
# Names that are the same in every language.
PLATFORM_CHOICES: Final = [("", lazy_gettext("all")), *PLATFORMS.items()]
# What a mail was about.
MAIL_NAMES: Final[dict[str, LazyString]] = {
    MailKind.INVITED: lazy_gettext("Invitation"),
    MailKind.INVITED_AGAIN: lazy_gettext("Invitation, sent again"),
    MailKind.SERVICES_CHOSEN: lazy_gettext("A new activation waits"),
    MailKind.KEY_REVOKED: lazy_gettext("A key was revoked"),
    MailKind.KEY_ROTATED: lazy_gettext("A key is replaced"),
    MailKind.DEVICE_REVOKED: lazy_gettext("A device was revoked"),
    MailKind.DEVICE_WIPED: lazy_gettext("Keys are removed on a device"),
    MailKind.SESSION_ENDED: lazy_gettext("A session was ended"),
    MailKind.DISABLED: lazy_gettext("Disabled"),
    MailKind.ENABLED: lazy_gettext("Enabled again"),
    MailKind.WITHDRAWN: lazy_gettext("Invitation withdrawn"),
    MailKind.CODE_MADE: lazy_gettext("A typed code was made"),
    MailKind.NEW_DEVICE: lazy_gettext("A new device"),
    MailKind.ADDRESS_TAKEN: lazy_gettext("The address was claimed"),
    MailKind.ACCOUNT_DISPLACED: lazy_gettext("An unproven account was removed"),
    MailKind.ADDRESS_CHALLENGE: lazy_gettext("Code to prove an address"),
    MailKind.ADDRESS_PROVEN: lazy_gettext("An address was proven"),
    MailKind.DATA_EXPORTED: lazy_gettext("Data were exported"),
    MailKind.DATA_DELETED: lazy_gettext("Data were deleted"),
}
# What is doubtful about an address of somebody's; the address comes behind it.
CONFLICTS: Final[dict[Claim, LazyString]] = {
    Claim.ALSO_CLAIMED: lazy_gettext("Another person has entered this address, too:"),
    Claim.CONTESTED: lazy_gettext("Another person showed that they read the mail of this address:"),
    Claim.QUIET: lazy_gettext(
        "Nobody has signed in with this address for so long that it may be somebody else's now:"
    ),
    Claim.BOUNCED: lazy_gettext("Mail to this address came back:"),
}
