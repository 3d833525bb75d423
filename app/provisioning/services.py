"""What staff do for people. The door for views, the REST API, commands and the worker.

Every act takes the caller's session and an ``Actor``, checks whom that one may act on, and writes
the audit and the mail with it; ``app.provisioning.acts`` says what all have in common. The
permission is looked at before, by the route or the token: each module names the one it needs.
"""

from __future__ import annotations

from app.provisioning.acts import (
    DisabledPersonError,
    GoneError,
    Here,
    ReasonError,
    UnusableError,
    usable_reason,
)
from app.provisioning.addresses import (
    AddressInUseError,
    Claim,
    Conflict,
    change_address,
    conflicts,
    keep_address,
    release_address,
)
from app.provisioning.choosing import choose_services, request_for
from app.provisioning.describing import rename, set_groups
from app.provisioning.expiring import expire
from app.provisioning.inviting import AlreadyInvitedError, Invite, Invited, invite
from app.provisioning.open_invitations import TooSoonError, resend, withdraw
from app.provisioning.revoking import (
    end_activation,
    end_session,
    revoke_device,
    revoke_key,
    rotate_key,
)
from app.provisioning.shutting_out import disable, enable
from app.provisioning.wiping import wipe_device

__all__ = [
    "AddressInUseError",
    "AlreadyInvitedError",
    "Claim",
    "Conflict",
    "DisabledPersonError",
    "GoneError",
    "Here",
    "Invite",
    "Invited",
    "ReasonError",
    "TooSoonError",
    "UnusableError",
    "change_address",
    "choose_services",
    "conflicts",
    "disable",
    "enable",
    "end_activation",
    "end_session",
    "expire",
    "invite",
    "keep_address",
    "release_address",
    "rename",
    "request_for",
    "resend",
    "revoke_device",
    "revoke_key",
    "rotate_key",
    "set_groups",
    "usable_reason",
    "wipe_device",
    "withdraw",
]
