"""What people do with activations: ask, issue, watch, revoke. The door for views and commands."""

from __future__ import annotations

from app.activation.account_services import NotAllowedError, ensure_services
from app.activation.confirmation import confirm_device
from app.activation.issue import Issued, issue, request_activation
from app.activation.revocation import (
    restore_device,
    revoke_activation,
    revoke_device,
    revoke_key,
)
from app.activation.rotation import ask_rotation
from app.activation.status import ActivationStatus, activation_status, ticket_status
from app.activation.stock import make_stock
from app.activation.sweep import Swept, sweep

__all__ = [
    "ActivationStatus",
    "Issued",
    "NotAllowedError",
    "Swept",
    "activation_status",
    "ask_rotation",
    "confirm_device",
    "ensure_services",
    "issue",
    "make_stock",
    "request_activation",
    "restore_device",
    "revoke_activation",
    "revoke_device",
    "revoke_key",
    "sweep",
    "ticket_status",
]
