"""How often codes may be tried, so that none are burnt in masses; docs/protocol.md 15.4.

Nothing admits an init of a code: its runs are anybody's who names its handle. One code cannot be
kept from whoever sees its handle; but who looks for handles misses most of the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.addresses import sender
from app.clock import MINUTE
from app.throttle import Limit, Throttles, TooManyError
from protocol.errors import ErrorCode, RemoteProtocolError

if TYPE_CHECKING:
    from app.database import Database

RUNS: Final = Limit("code-runs", 60, 15 * MINUTE)
MISSES: Final = Limit("code-misses", 6, 15 * MINUTE)
# From all addresses together. Once it is reached, whoever has missed before is turned away.
ALL_MISSES: Final = Limit("code-misses-in-all", 1000, 15 * MINUTE)
_EVERYBODY: Final = "everybody"


class CodeRates:
    """Counts runs, and inits that name no open code, by the address that they come from."""

    def __init__(self, database: Database) -> None:
        self._throttles: Final = Throttles(database)

    def count_run(self, address: str, *, now: int) -> None:
        """Count a new run, or raise RemoteProtocolError(BUSY) without writing anything."""
        source = sender(address)
        misses = self._throttles.left(MISSES, source, now=now)
        if not misses.left or not self._throttles.left(RUNS, source, now=now).left:
            raise RemoteProtocolError(ErrorCode.BUSY)
        has_missed = misses.left < MISSES.count
        if has_missed and not self._throttles.left(ALL_MISSES, _EVERYBODY, now=now).left:
            raise RemoteProtocolError(ErrorCode.BUSY)
        self._count(RUNS, source, now)

    def count_miss(self, address: str, *, now: int) -> None:
        """Note that an address named a handle which is not open."""
        self._count(MISSES, sender(address), now)
        self._count(ALL_MISSES, _EVERYBODY, now)

    def _count(self, limit: Limit, subject: str, now: int) -> None:
        try:
            self._throttles.count(limit, subject, now=now)
        except TooManyError:
            # Of several at once the last ones: the next look says so.
            return
