"""The tables, one file per aggregate."""

from app.models import append_only
from app.models.activation import Activation, ActivationState, GrantState, Run, ServiceGrant
from app.models.audit import (
    AuditEntry,
    AuditHead,
    AuditLink,
    DeliveryState,
    Webhook,
    WebhookDelivery,
)
from app.models.base import Base, new_id
from app.models.device import Device, DeviceState, EndedKey, KeyState, ServiceKey
from app.models.person import (
    AccountService,
    MailAccount,
    MailPin,
    Person,
    PersonTerm,
    ServiceName,
    in_order,
)
from app.models.provisioning import (
    ImportJob,
    ImportLine,
    ImportState,
    Invitation,
    InvitationState,
    MailChallenge,
    MailState,
    OutgoingMail,
)
from app.models.session import MailCheck, SessionKind, Throttle, WebSession
from app.models.staff import (
    ApiAnswer,
    ApiToken,
    GroupMember,
    LinkPurpose,
    PersonGroup,
    Reach,
    RecoveryCode,
    Staff,
    StaffGroup,
    StaffLink,
    StaffPasskey,
    StaffRole,
    StaffSession,
    StaffStage,
    StaffState,
)
from app.models.statistics import CountingState, DailyCount, PresentCount
from app.models.worker import WorkerJob

__all__ = [
    "AccountService",
    "Activation",
    "ActivationState",
    "ApiAnswer",
    "ApiToken",
    "AuditEntry",
    "AuditHead",
    "AuditLink",
    "Base",
    "CountingState",
    "DailyCount",
    "DeliveryState",
    "Device",
    "DeviceState",
    "EndedKey",
    "GrantState",
    "GroupMember",
    "ImportJob",
    "ImportLine",
    "ImportState",
    "Invitation",
    "InvitationState",
    "KeyState",
    "LinkPurpose",
    "MailAccount",
    "MailChallenge",
    "MailCheck",
    "MailPin",
    "MailState",
    "OutgoingMail",
    "Person",
    "PersonGroup",
    "PersonTerm",
    "PresentCount",
    "Reach",
    "RecoveryCode",
    "Run",
    "ServiceGrant",
    "ServiceKey",
    "ServiceName",
    "SessionKind",
    "Staff",
    "StaffGroup",
    "StaffLink",
    "StaffPasskey",
    "StaffRole",
    "StaffSession",
    "StaffStage",
    "StaffState",
    "Throttle",
    "WebSession",
    "Webhook",
    "WebhookDelivery",
    "WorkerJob",
    "in_order",
    "new_id",
]

append_only.install()
