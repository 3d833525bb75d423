"""Sizes and times of the device side, each in one place."""

from typing import Final

MAX_DOCUMENT: Final = 64 * 1024
MAX_ANSWER: Final = 64 * 1024
MAX_STORE: Final = 8 * 1024 * 1024
MAX_TRUST_FILE: Final = 256 * 1024

ANSWER_DEADLINE: Final = 20.0
# The portal asks mail servers meanwhile, in up to two rounds.
CALL_DEADLINE: Final = 60.0
# Documents, lists and books, wrapped once more.
MAX_CALL_ANSWER: Final = 1024 * 1024
# Of one list: nobody has that many things, and a portal that goes on for ever is not followed.
MOST_PAGES: Final = 50
CALL_PAUSES: Final = (1.0, 3.0)
STILL_WAITING: Final = 5.0
# Longer than this nobody sits and waits for a portal that asks to be left alone.
LONGEST_PAUSE: Final = 20
RESEND_PAUSES: Final = (0.5, 1.5, 4.0)

STORE_LOCK_WAIT: Final = 10.0
PENDING_DAYS: Final = 7
CODE_PENDING_DAYS: Final = 1
# So long a removal is answered where nobody notes it, and shown to the person.
REMOVAL_DAYS: Final = 90
# A document lives ten minutes at most; a clock set back by hours must not make it new again.
USED_KEPT: Final = 7 * 86400
KEY_SET_REFRESH: Final = 86400
# The device reports in daily: after three days without an answer the person is told.
REPORT_STALE: Final = 3 * 86400
