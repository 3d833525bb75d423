"""What staff end for people: invitations, activations, keys, devices."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

from app.admin_api import holder
from app.admin_api.acting import PROBLEMS, act, surroundings, told
from app.admin_api.messages import ReasonGiven
from app.api.operations import admin_api
from app.extensions import handfast
from app.provisioning import services
from app.rights import Permission


@admin_api.add(
    "POST",
    "/invitations/<invitation_id>/repetition",
    _("Send an open invitation again; its time begins anew."),
    needs=Permission.PEOPLE_PROVISION,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_resend(given: ReasonGiven, invitation_id: str) -> None:
    """Send an invitation again."""
    with told(), handfast().database.write() as session:
        services.resend(
            session, holder.actor(), invitation_id, reason=given.reason, here=surroundings()
        )


@admin_api.add(
    "POST",
    "/invitations/<invitation_id>/withdrawal",
    _("Withdraw an open invitation, and what waits with it."),
    needs=Permission.PEOPLE_PROVISION,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_withdraw(given: ReasonGiven, invitation_id: str) -> None:
    """Withdraw an invitation."""
    with told(), handfast().database.write() as session:
        services.withdraw(
            session, holder.actor(), invitation_id, reason=given.reason, here=surroundings()
        )


@admin_api.add(
    "POST",
    "/people/<person_id>/activations/<activation_id>/revocation",
    _("End an activation; one that led to keys is undone."),
    needs=Permission.DEVICES_REVOKE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_end_activation(given: ReasonGiven, person_id: str, activation_id: str) -> None:
    """End an activation."""
    act(services.end_activation, person_id, activation_id, reason=given.reason)


@admin_api.add(
    "POST",
    "/people/<person_id>/keys/<key_id>/revocation",
    _("Revoke a key, for good."),
    needs=Permission.DEVICES_REVOKE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_revoke_key(given: ReasonGiven, person_id: str, key_id: str) -> None:
    """Revoke a key."""
    act(services.revoke_key, person_id, key_id, reason=given.reason)


@admin_api.add(
    "POST",
    "/people/<person_id>/keys/<key_id>/rotation",
    _("Have a key replaced: its device makes the new one at its next report."),
    needs=Permission.DEVICES_REVOKE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_rotate_key(given: ReasonGiven, person_id: str, key_id: str) -> None:
    """Ask for a new key."""
    act(services.rotate_key, person_id, key_id, reason=given.reason)


@admin_api.add(
    "POST",
    "/people/<person_id>/devices/<device_id>/revocation",
    _("Revoke a device with all its keys."),
    needs=Permission.DEVICES_REVOKE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_revoke_device(given: ReasonGiven, person_id: str, device_id: str) -> None:
    """Revoke a device."""
    act(services.revoke_device, person_id, device_id, reason=given.reason)


@admin_api.add(
    "POST",
    "/people/<person_id>/devices/<device_id>/wipe",
    _("Revoke a device and have it remove its keys at its next contact."),
    needs=Permission.DEVICES_REVOKE,
    takes=ReasonGiven,
    problems=PROBLEMS,
)
def admin_wipe_device(given: ReasonGiven, person_id: str, device_id: str) -> None:
    """Wipe a device."""
    act(services.wipe_device, person_id, device_id, reason=given.reason)
