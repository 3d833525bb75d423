"""How every state of a thing looks in WebAdmin, and what it is called: made once, not per line."""

from __future__ import annotations

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

Badge = tuple[str, LazyString]

BADGES: Final[dict[str, dict[str, Badge]]] = {
    "person": {
        "active": ("good", _("active")),
        "invited": ("warn", _("invited")),
        "waiting": ("warn", _("waiting for device")),
        "inactive": ("", _("not active")),
        "disabled": ("bad", _("disabled")),
        "deleted": ("bad", _("deleted")),
    },
    "device": {
        "active": ("good", _("active")),
        "unconfirmed": ("warn", _("not confirmed")),
        "revoked": ("bad", _("revoked")),
        "wiping": ("warn", _("removal asked")),
        "wiped": ("", _("keys removed")),
        "unanswered": ("bad", _("nobody confirmed it")),
    },
    "key": {
        "active": ("good", _("active")),
        "unproven": ("warn", _("not used yet")),
        "retired": ("", _("replaced")),
        "revoked": ("bad", _("revoked")),
    },
    "activation": {
        "waiting": ("warn", _("waiting for device")),
        "issued": ("warn", _("document issued")),
        "open": ("warn", _("open")),
        "redeemed": ("good", _("active")),
        "dead": ("", _("ended")),
        "expired": ("", _("expired")),
        "burnt": ("bad", _("tried too often")),
    },
    "mail": {
        "waiting": ("warn", _("waiting")),
        "sent": ("good", _("sent")),
        "failed": ("bad", _("not sent")),
        "bounced": ("bad", _("came back")),
    },
    "invitation": {
        "open": ("warn", _("open")),
        "accepted": ("good", _("accepted")),
        "withdrawn": ("", _("withdrawn")),
        "expired": ("", _("expired")),
    },
    "staff": {
        "invited": ("warn", _("invited")),
        "active": ("good", _("active")),
        "disabled": ("bad", _("disabled")),
    },
    "import": {
        "checking": ("warn", _("being checked")),
        "checked": ("warn", _("checked, not started")),
        "importing": ("warn", _("under way")),
        "stocking": ("warn", _("stock being made")),
        "done": ("good", _("done")),
        "refused": ("bad", _("has problems")),
        "cancelled": ("", _("cancelled")),
        "failed": ("bad", _("failed")),
    },
    "delivery": {
        "waiting": ("warn", _("waiting")),
        "delivered": ("good", _("delivered")),
        "failed": ("bad", _("given up")),
    },
    "token": {
        "active": ("good", _("active")),
        "expired": ("", _("expired")),
        "ended": ("bad", _("revoked")),
    },
    "stage": {
        "waiting": ("warn", _("waiting for device")),
        "issued": ("warn", _("document issued")),
        "taken": ("warn", _("device took it")),
        "active": ("good", _("used")),
        "expired": ("", _("expired")),
        "dead": ("", _("ended")),
    },
}
