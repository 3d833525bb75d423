"""Sizes and times of the device side, each in one place."""

from typing import Final

MAX_DOCUMENT: Final = 64 * 1024
MAX_ANSWER: Final = 64 * 1024
MAX_STORE: Final = 8 * 1024 * 1024
MAX_TRUST_FILE: Final = 256 * 1024

ANSWER_DEADLINE: Final = 20.0
RESEND_PAUSES: Final = (0.5, 1.5, 4.0)

STORE_LOCK_WAIT: Final = 10.0
PENDING_DAYS: Final = 7
# A document lives ten minutes at most; a clock set back by hours must not make it new again.
USED_KEPT: Final = 7 * 86400
KEY_SET_REFRESH: Final = 86400
