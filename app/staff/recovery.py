"""Printed codes for who has lost their second factor: ten, each good once."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.database import changed
from app.models import RecoveryCode, new_id
from app.staff.here import StaffHere

COUNT: Final = 10
# 79 bits: nobody finds one by trying, even with the database in hand.
LENGTH: Final = 16
GROUP: Final = 4
# Without letters that look like digits, or like one another.
ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
# Few codes are left: time for new ones.
FEW: Final = 3


def new_codes(here: StaffHere) -> list[str]:
    """Return ten fresh codes, as they are printed."""
    return [_new_code(here) for _ in range(COUNT)]


def hashes_of(staff_id: str, codes: list[str], here: StaffHere) -> list[bytes]:
    """Return what the database keeps of them; takes a while, so it is done before writing."""
    return [_hash(staff_id, _plain(code), here) for code in codes]


def replace(database: Session, staff_id: str, hashes: list[bytes], here: StaffHere) -> None:
    """Keep a new set; every older code is worth nothing from now on."""
    database.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    for code_hash in hashes:
        database.add(
            RecoveryCode(
                id=new_id(here.entropy),
                staff_id=staff_id,
                code_hash=code_hash,
                used_at=None,
            )
        )
    database.flush()


def looks_like_one(untrusted: str) -> bool:
    """Tell a recovery code from a code of an app, which is short and has digits only."""
    return len(_plain(untrusted)) == LENGTH


def hash_of(staff_id: str, untrusted: str, here: StaffHere) -> bytes:
    """Return the hash to look for; takes a while, so it is done before writing."""
    return _hash(staff_id, _plain(untrusted), here)


def accept(database: Session, staff_id: str, code_hash: bytes, here: StaffHere) -> bool:
    """Use up a code; False when there is none, or it was used before."""
    used = (
        update(RecoveryCode)
        .where(
            RecoveryCode.staff_id == staff_id,
            RecoveryCode.code_hash == code_hash,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=here.now)
    )
    return changed(database.execute(used)) == 1


def left(database: Session, staff_id: str) -> int:
    """Return how many codes can still be used."""
    query = select(func.count()).where(
        RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None)
    )
    return int(database.scalar(query) or 0)


def _new_code(here: StaffHere) -> str:
    letters = ""
    while len(letters) < LENGTH:
        # Of 256 values the first 248 are shared out evenly.
        drawn = [byte for byte in here.entropy(LENGTH) if byte < 248]
        letters += "".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn)
    letters = letters[:LENGTH]
    return "-".join(letters[place : place + GROUP] for place in range(0, LENGTH, GROUP))


def _plain(untrusted: str) -> str:
    return "".join(letter for letter in untrusted.lower() if letter not in "- \t")


def _hash(staff_id: str, plain: str, here: StaffHere) -> bytes:
    # One salt for all codes of a member, so that one hash finds the code among them.
    salt = hashlib.sha256(f"handfast recovery {staff_id}".encode()).digest()[:16]
    return here.hasher.derive(plain[: LENGTH * 2], salt)
