"""Codes from an authenticator app (RFC 6238): six digits, thirty seconds, each good once."""

from __future__ import annotations

import base64
from typing import Final

import pyotp
import segno
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from app.clock import SECOND
from app.database import changed
from app.keystore.places import totp_place
from app.models import Staff
from app.staff.here import StaffHere

SECRET_BYTES: Final = 20
DIGITS: Final = 6
STEP: Final = 30 * SECOND
# A telephone's clock may be this many steps away.
TOLERANCE: Final = 1


def new_secret(here: StaffHere) -> bytes:
    """Return a fresh secret."""
    return here.entropy(SECRET_BYTES)


def as_text(secret: bytes) -> str:
    """Return the secret as one types it into an app: base32."""
    return base64.b32encode(secret).decode()


def picture(secret: bytes, login: str, here: StaffHere) -> str:
    """Return the QR code that an app reads, as SVG without any style."""
    issuer = here.service_name.replace(":", " ")
    address = pyotp.TOTP(as_text(secret)).provisioning_uri(name=login, issuer_name=issuer)
    code = segno.make(address, error="m", micro=False)
    return code.svg_inline(scale=5, dark="#000000", light="#ffffff", svgclass="qr")


def step_of(secret: bytes, untrusted_code: str, *, now: int) -> int | None:
    """Return the time step whose code it is, within the tolerance; None for a wrong one."""
    code = "".join(untrusted_code.split())
    if len(code) != DIGITS or not (code.isascii() and code.isdecimal()):
        return None
    generator, current = pyotp.TOTP(as_text(secret)), now // STEP
    # Every one is compared, so that the time tells nothing.
    found = [
        step
        for step in range(current - TOLERANCE, current + TOLERANCE + 1)
        if pyotp.utils.strings_equal(generator.generate_otp(step), code)
    ]
    return found[0] if found else None


def accept(database: Session, staff: Staff, untrusted_code: str, here: StaffHere) -> bool:
    """Use up a code; False when it is wrong, or was used before, be it at this very moment."""
    if staff.totp_sealed is None:
        return False
    secret = here.sealer.open(staff.totp_sealed, totp_place(staff.id))
    step = step_of(secret, untrusted_code, now=here.now)
    if step is None:
        return False
    used = update(Staff).where(
        Staff.id == staff.id,
        Staff.totp_sealed == staff.totp_sealed,
        or_(Staff.totp_step.is_(None), Staff.totp_step < step),
    )
    return changed(database.execute(used.values(totp_step=step))) == 1


def keep(database: Session, staff_id: str, secret: bytes, step: int, here: StaffHere) -> None:
    """Make the secret a member's own, after the first code from it."""
    sealed = here.sealer.seal(secret, totp_place(staff_id), now=here.now)
    kept = update(Staff).where(Staff.id == staff_id)
    database.execute(kept.values(totp_sealed=sealed, totp_step=step))


def forget(database: Session, staff_id: str) -> None:
    """Take the secret away."""
    kept = update(Staff).where(Staff.id == staff_id)
    database.execute(kept.values(totp_sealed=None, totp_step=None))
