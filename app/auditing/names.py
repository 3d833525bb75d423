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
}
