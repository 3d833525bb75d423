"""Signatures as Standard Webhooks has them, so that receivers find libraries for them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Final

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


def shown(secret: bytes) -> str:
    """Return a secret as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secret: bytes, message_id: str, body: bytes, *, at: int) -> dict[str, str]:
    """Return the three headers of a message; ``at`` is in whole seconds."""
    signed = b".".join((message_id.encode(), str(at).encode(), body))
    tag = hmac.new(secret, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(tag).decode(),
    }
