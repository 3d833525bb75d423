"""A key is replaced by a new one: the same exchange, begun by the service's offer in a packet."""

import hashlib
from collections.abc import Sequence
from typing import Final

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import agreement
from plugin.exchange.packets import current_key_set
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.limits import RESEND_PAUSES
from protocol.channel import Rotation
from protocol.handshake import Context, GrantName, rotation_prs

ROTATE_SECONDS: Final = 100 * 86400
SPREAD: Final = 0.1
# For so many seconds after a rotation the service passes over this device's wish for the next.
WISH_PAUSE: Final = 3600


def is_old(key: KeyRecord, now: int) -> bool:
    """Say whether the device asks for a new key by itself: after 100 days, more or less."""
    return now - key.created > oldest(key.key_id)


def oldest(key_id: str) -> int:
    """Return the age in seconds at which a key is old: between 90 and 110 days."""
    # Out of the id, so that it differs from key to key and yet never moves.
    digest = hashlib.sha256(key_id.encode()).digest()
    place = int.from_bytes(digest[:4], "big") / 2**32
    return int(ROTATE_SECONDS * (1 - SPREAD + 2 * SPREAD * place))


def run(
    key: KeyRecord,
    offer: Rotation,
    *,
    at: str,
    device: Device,
    pauses: Sequence[float] = RESEND_PAUSES,
) -> KeyRecord:
    """Agree with the exchange `at` on the successor of `key`, and store it beside; or UserError.

    The old key stays: the new one replaces it when the service has answered under it.
    """
    if device.identity(key.issuer).kid != key.device:
        raise UserError(
            _("this device has another identity since the key was made, so the key stays"),
            _("activate this device again for this account"),
            ExitCode.UNFINISHED,
        )
    record = agreement.begin(
        _run(key, offer, at),
        current_key_set(key.issuer, device),
        device=device,
        pauses=pauses,
    )
    if record is None:
        raise UserError(
            _("another program on this device is replacing the key"),
            _('look at it with "handfast status"'),
            ExitCode.UNFINISHED,
        )
    (successor,) = agreement.finish(record, device=device, pauses=pauses)
    return successor


def finish_begun(key: KeyRecord, *, device: Device) -> KeyRecord | None:
    """Finish a rotation of `key` that was cut earlier; None if there is none, or UserError."""
    for record in device.pending():
        if record.replaces == key.key_id:
            (successor,) = agreement.finish(record, device=device, pauses=())
            return successor
    return None


def _run(key: KeyRecord, offer: Rotation, at: str) -> agreement.Run:
    return agreement.Run(
        Context(key.issuer, offer.activation, kind="rotation", bound_jkt=key.device),
        rotation_prs(key.issuer, key.session_key()),
        at,
        (GrantName(offer.grant, key.account, key.service, key.service_uid),),
        key.sub,
        replaces=key.key_id,
    )
