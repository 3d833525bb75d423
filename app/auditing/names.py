"""A short name for every act, for the lists that staff read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString, lazy_gettext

from app.audit import Act

ACT_NAMES: Final[Mapping[Act, LazyString]] = {
    Act.SIGNED_IN: lazy_gettext("Signed in"),
    Act.SIGN_IN_FAILED: lazy_gettext("Sign-in failed"),
    Act.SIGNED_OUT: lazy_gettext("Signed out"),
    Act.SESSION_ENDED: lazy_gettext("Session ended"),
    Act.ACCOUNT_ADDED: lazy_gettext("Mail account added"),
    Act.ACCOUNT_REMOVED: lazy_gettext("Mail account removed"),
    Act.ACTIVATION_REQUESTED: lazy_gettext("Activation asked for"),
    Act.DOCUMENT_ISSUED: lazy_gettext("Activation document issued"),
    Act.ACTIVATION_ENDED: lazy_gettext("Activation ended"),
    Act.DEVICE_ACTIVATED: lazy_gettext("Device activated"),
    Act.KEY_PROVEN: lazy_gettext("Key used for the first time"),
    Act.KEY_ROTATION_ASKED: lazy_gettext("New key asked for"),
    Act.KEY_ROTATION_BEGUN: lazy_gettext("New key under way"),
    Act.KEY_ROTATED: lazy_gettext("New key made"),
    Act.KEY_RETIRED: lazy_gettext("Key retired"),
    Act.KEY_REVOKED: lazy_gettext("Key revoked"),
    Act.DEVICE_CONFIRMED: lazy_gettext("Device confirmed"),
    Act.DEVICE_REVOKED: lazy_gettext("Device revoked"),
    Act.DEVICE_RESTORED: lazy_gettext("Device restored"),
    Act.STOCK_MADE: lazy_gettext("Activation passwords made ahead"),
    Act.PIN_CHANGED: lazy_gettext("Pin of a mail domain changed"),
    Act.KEYS_CHANGED: lazy_gettext("Keys of the service changed"),
    Act.AUDIT_VERIFIED: lazy_gettext("Audit verified"),
    Act.AUDIT_EXPORTED: lazy_gettext("Audit exported"),
    Act.DATA_EXPORTED: lazy_gettext("Data of a person exported"),
    Act.PERSON_DELETED: lazy_gettext("Person deleted"),
    Act.WEBHOOK_CHANGED: lazy_gettext("Webhook changed"),
    Act.STAFF_LINK_MADE: lazy_gettext("Link for staff made"),
    Act.STAFF_LINK_OPENED: lazy_gettext("Link for staff opened"),
    Act.STAFF_INVITED: lazy_gettext("Staff invited"),
    Act.STAFF_JOINED: lazy_gettext("Staff joined"),
    Act.STAFF_SIGNED_IN: lazy_gettext("Signed in to WebAdmin"),
    Act.STAFF_SIGN_IN_FAILED: lazy_gettext("Sign-in to WebAdmin failed"),
    Act.STAFF_CONFIRMED: lazy_gettext("Confirmed who it is"),
    Act.STAFF_SIGNED_OUT: lazy_gettext("Signed out of WebAdmin"),
    Act.STAFF_SESSION_ENDED: lazy_gettext("Session of WebAdmin ended"),
    Act.STAFF_PASSWORD_CHANGED: lazy_gettext("Password of staff changed"),
    Act.STAFF_FACTOR_ADDED: lazy_gettext("Second factor added"),
    Act.STAFF_FACTOR_REMOVED: lazy_gettext("Second factor removed"),
    Act.STAFF_RECOVERY_CODES_MADE: lazy_gettext("Recovery codes made"),
    Act.STAFF_RECOVERY_CODE_USED: lazy_gettext("Recovery code used"),
    Act.STAFF_CHANGED: lazy_gettext("Name or address of staff changed"),
    Act.STAFF_ROLE_CHANGED: lazy_gettext("Role of staff changed"),
    Act.STAFF_REACH_CHANGED: lazy_gettext("Reach of staff changed"),
    Act.STAFF_DISABLED: lazy_gettext("Staff disabled"),
    Act.STAFF_ENABLED: lazy_gettext("Staff enabled"),
    Act.STAFF_RESET: lazy_gettext("Sign-in of staff reset"),
    Act.GROUP_MADE: lazy_gettext("Group made"),
    Act.GROUP_RENAMED: lazy_gettext("Group renamed"),
    Act.GROUP_REMOVED: lazy_gettext("Group removed"),
}
