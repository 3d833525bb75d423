"""Every page and state of WebAdmin that is looked at: by what it shows, for whom, and where.

Whoever adds a page adds it here; a test misses it otherwise. The names in the addresses are those
of ``tests.app.webadmin.lived_in``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# Sam owns the installation and may see everything.
OWNER: Final = "sam"


@dataclass(frozen=True)
class Listed:
    """One page as one member of staff sees it."""

    path: str
    # An attribute of Lived; "" is nobody.
    who: str = OWNER


PAGES: Final = {
    "overview": Listed("/admin"),
    "overview of a week": Listed("/admin?days=7"),
    "overview of a year": Listed("/admin?days=365"),
    "overview of customer care": Listed("/admin", "olu"),
    "overview of care for groups": Listed("/admin", "limited"),
    "overview of an auditor": Listed("/admin", "uma"),
    "people": Listed("/admin/people"),
    "people found": Listed("/admin/people?q=ann"),
    "nobody found": Listed("/admin/people?q=zzz"),
    "nobody to look after": Listed("/admin/people", "limited"),
    "a person": Listed("/admin/people/{person}"),
    "a person, for customer care": Listed("/admin/people/{person}", "olu"),
    "a person, for an auditor": Listed("/admin/people/{person}", "uma"),
    "a person who was invited": Listed("/admin/people/{invited}"),
    "invite somebody": Listed("/admin/people/invite"),
    "mail accounts": Listed("/admin/accounts"),
    "devices": Listed("/admin/devices"),
    "activations": Listed("/admin/activations"),
    "keys": Listed("/admin/keys"),
    "sessions": Listed("/admin/sessions"),
    "a device": Listed("/admin/devices/{laptop}"),
    "a revoked device": Listed("/admin/devices/{tablet}"),
    "a device that waits for its owner": Listed("/admin/devices/{phone}"),
    "a key": Listed("/admin/keys/{key}"),
    "a revoked key": Listed("/admin/keys/{ended_key}"),
    "an activation": Listed("/admin/activations/{waiting}"),
    "an activation that was used": Listed("/admin/activations/{used}"),
    "revoke a device": Listed("/admin/devices/{laptop}/revoke"),
    "remove keys from a device": Listed("/admin/devices/{laptop}/wipe"),
    "revoke a key": Listed("/admin/keys/{key}/revoke"),
    "replace a key": Listed("/admin/keys/{key}/replace"),
    "end an activation": Listed("/admin/activations/{waiting}/end"),
    "end a session": Listed("/admin/sessions/{session}/end"),
    "a new activation": Listed("/admin/people/{person}/activation"),
    "services of an account": Listed("/admin/accounts/account-ann/services"),
    "a new address": Listed("/admin/accounts/account-ann/change"),
    "take an address off": Listed("/admin/accounts/account-ann/release"),
    "keep an address": Listed("/admin/accounts/account-ann/keep"),
    "send an invitation again": Listed("/admin/invitations/{invitation}/send-again"),
    "withdraw an invitation": Listed("/admin/invitations/{invitation}/withdraw"),
    "rename somebody": Listed("/admin/people/{person}/name"),
    "groups of a person": Listed("/admin/people/{person}/groups"),
    "disable somebody": Listed("/admin/people/{person}/disable"),
    "enable somebody": Listed("/admin/people/{person}/enable"),
    "export what somebody has": Listed("/admin/people/{person}/export"),
    "delete somebody": Listed("/admin/people/{person}/delete"),
    "make a code": Listed("/admin/people/{person}/code"),
    "a code that waits": Listed("/admin/codes/{code}"),
    "end a code": Listed("/admin/codes/{code}/end"),
    "export people": Listed("/admin/people/export"),
    "lists": Listed("/admin/imports"),
    "a list with problems": Listed("/admin/imports/{job}"),
    "groups": Listed("/admin/groups"),
    "a group": Listed("/admin/groups/{group}"),
    "remove a group": Listed("/admin/groups/{group}/remove"),
    "staff": Listed("/admin/staff"),
    "staff, for an auditor": Listed("/admin/staff", "uma"),
    "invite staff": Listed("/admin/staff/invite"),
    "a member of staff": Listed("/admin/staff/{ada}"),
    "rename a member of staff": Listed("/admin/staff/{ada}/name"),
    "role and reach": Listed("/admin/staff/{ada}/role"),
    "disable a member of staff": Listed("/admin/staff/{ada}/disable"),
    "reset a member of staff": Listed("/admin/staff/{ada}/reset"),
    "end a colleague's sessions": Listed("/admin/staff/{ada}/end-sessions"),
    "tokens": Listed("/admin/tokens"),
    "end a token": Listed("/admin/tokens/{token}/end"),
    "administration API": Listed("/admin/api"),
    "audit": Listed("/admin/audit"),
    "audit of failures": Listed("/admin/audit?act=sign-in-failed"),
    "export the audit": Listed("/admin/audit/export"),
    "webhooks": Listed("/admin/webhooks"),
    "add a webhook": Listed("/admin/webhooks/new"),
    "a webhook": Listed("/admin/webhooks/{webhook}"),
    "end a webhook": Listed("/admin/webhooks/{webhook}/end"),
    "own profile": Listed("/admin/profile"),
    "remove the own authenticator": Listed("/admin/profile/authenticator/remove"),
    "remove an own passkey": Listed("/admin/profile/passkeys/{passkey}/remove"),
    "end an own session": Listed("/admin/profile/sessions/{elsewhere}/end"),
    "own passkey": Listed("/admin/profile/passkeys/add"),
    "own password": Listed("/admin/profile/password"),
    "own recovery codes": Listed("/admin/profile/recovery-codes"),
    "end own other sessions": Listed("/admin/profile/sessions/end-others"),
    "sign in": Listed("/admin/sign-in", ""),
    "confirm": Listed("/admin/confirm-it-is-you?next=/admin/staff"),
    "welcome": Listed("/admin/welcome", ""),
    "a missing page": Listed("/admin/nothing"),
    "not allowed": Listed("/admin/staff/invite", "olu"),
}
# Addresses that answer no page of their own, or only to who has just done something.
NOT_LISTED: Final = frozenset(
    {
        "webadmin.code_state",
        "webadmin.import_status",
        "webadmin.import_problems",
        "webadmin.second",
        "webadmin.welcome_password",
        "webadmin.welcome_factor",
        "webadmin.welcome_codes",
        "webadmin.ask_confirm_device",
        "webadmin.ask_authenticator",
    }
)
