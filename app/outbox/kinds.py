"""What mail tells people of: each kind has a text of its own in ``templates/mail``.

Facts that the texts use where they are given: ``name`` (whom it greets), ``account`` (a mail
address), ``services`` (names, separated by spaces), ``service``, ``device``, ``by`` (who did it, as
people should read it), ``by_role`` (what they are here), ``reason``, ``role``, and ``until`` (a
moment).
"""

from __future__ import annotations

from enum import StrEnum


class MailKind(StrEnum):
    """Every kind of mail; the name of its template too."""

    INVITED = "invited"
    INVITED_AGAIN = "invited-again"
    SERVICES_CHOSEN = "services-chosen"
    KEY_REVOKED = "key-revoked"
    KEY_ROTATED = "key-rotated"
    DEVICE_REVOKED = "device-revoked"
    DEVICE_WIPED = "device-wiped"
    SESSION_ENDED = "session-ended"
    DISABLED = "disabled"
    ENABLED = "enabled"
    WITHDRAWN = "withdrawn"
    CODE_MADE = "code-made"
    NEW_DEVICE = "new-device"
    ADDRESS_TAKEN = "address-taken"
    ADDRESS_ENTERED = "address-entered"
    ADDRESS_CHANGED = "address-changed"
    ADDRESS_RELEASED = "address-released"
    ADDRESS_KEPT = "address-kept"
    ACCOUNT_DISPLACED = "account-displaced"
    ADDRESS_CHALLENGE = "address-challenge"
    ADDRESS_PROVEN = "address-proven"
    STAFF_INVITED = "staff-invited"
    STAFF_RESET = "staff-reset"
    DATA_EXPORTED = "data-exported"
    DATA_DELETED = "data-deleted"
