"""The tables, one file per aggregate."""

from app.models.activation import Activation, ActivationState, GrantState, Run, ServiceGrant
from app.models.audit import AuditEntry
from app.models.base import Base, new_id
from app.models.device import Device, DeviceState, EndedKey, KeyState, ServiceKey
from app.models.person import (
    AccountService,
    MailAccount,
    MailPin,
    Person,
    ServiceName,
    in_order,
)
from app.models.session import MailCheck, SessionKind, Throttle, WebSession

__all__ = [
    "AccountService",
    "Activation",
    "ActivationState",
    "AuditEntry",
    "Base",
    "Device",
    "DeviceState",
    "EndedKey",
    "GrantState",
    "KeyState",
    "MailAccount",
    "MailCheck",
    "MailPin",
    "Person",
    "Run",
    "ServiceGrant",
    "ServiceKey",
    "ServiceName",
    "SessionKind",
    "Throttle",
    "WebSession",
    "in_order",
    "new_id",
]
