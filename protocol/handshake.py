"""The exchange, all of it: the device drives an Initiator, the service calls the functions."""

from protocol.initiator import Established, Initiator, Pending
from protocol.key_schedule import Context, code_prs
from protocol.messages import (
    Complete,
    Confirm,
    Init,
    Message,
    Reply,
    problem,
    read_complete,
    read_confirm,
    read_init,
    read_reply,
)
from protocol.responder import (
    Completed,
    DeviceClaim,
    Replied,
    RunSecrets,
    accept_confirm,
    check_admission,
    complete,
    init_hash,
    respond,
)
from protocol.session import DeviceDescription, GrantName, SessionKey, rotation_prs
from protocol.states import TRANSITIONS, State

__all__ = [
    "TRANSITIONS",
    "Complete",
    "Completed",
    "Confirm",
    "Context",
    "DeviceClaim",
    "DeviceDescription",
    "Established",
    "GrantName",
    "Init",
    "Initiator",
    "Message",
    "Pending",
    "Replied",
    "Reply",
    "RunSecrets",
    "SessionKey",
    "State",
    "accept_confirm",
    "check_admission",
    "code_prs",
    "complete",
    "init_hash",
    "problem",
    "read_complete",
    "read_confirm",
    "read_init",
    "read_reply",
    "respond",
    "rotation_prs",
]
