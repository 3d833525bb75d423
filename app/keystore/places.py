"""The sealed columns: where each sealed value belongs."""

from __future__ import annotations

from app.keystore.sealing import Place
from protocol.encoding import b64u


def password_place(grant_id: str) -> Place:
    """A stocked activation password, sealed with the `grants` key."""
    return Place("service_grant", grant_id, "password_sealed")


def prs_place(activation_id: str) -> Place:
    """The PRS of an issued document, sealed with the `grants` key."""
    return Place("activation", activation_id, "prs_sealed")


def run_place(activation_id: str, run: bytes) -> Place:
    """A run's secrets, sealed with the `keys` key."""
    return Place("run", f"{activation_id}.{b64u(run)}", "secrets_sealed")


def key_place(key_id: str) -> Place:
    """A session key, sealed with the `keys` key."""
    return Place("service_key", key_id, "key_sealed")


def totp_place(staff_id: str) -> Place:
    """The secret of an authenticator app, sealed with the `staff` key."""
    return Place("staff", staff_id, "totp_sealed")


def totp_waiting_place(session_id: str) -> Place:
    """The same until a first code from it was given: in the notes of the session."""
    return Place("staff_session", session_id, "flow")


def webhook_place(webhook_id: str) -> Place:
    """The secret that an outside system's messages are signed with, sealed with the `staff` key."""
    return Place("webhook", webhook_id, "secret_sealed")
