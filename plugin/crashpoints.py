"""Named places where a test may kill the device; nothing happens outside of tests."""

import os
from typing import Final, Literal, get_args

Point = Literal[
    "device.init.sent",
    "device.reply.received",
    "device.pending.stored",
    "device.confirm.sent",
    "device.complete.received",
    "device.active.stored",
    "device.unwanted.stored",
    "device.numbers.reserved",
    "device.packet.sent",
    "device.report.stored",
    "device.key.ended",
    "device.removal.stored",
    "device.removal.sent",
    "device.removal.noted",
    "store.temp.written",
    "store.renamed",
]
POINTS: Final[tuple[str, ...]] = get_args(Point)
EXIT_STATUS: Final = 137


def crashpoint(point: Point) -> None:
    """End the process at once, as `kill -9` would, when a test asked for this point."""
    if os.environ.get("HANDFAST_TESTING") == "1" and os.environ.get("HANDFAST_CRASH_AT") == point:
        os._exit(EXIT_STATUS)
