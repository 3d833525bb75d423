"""Calls at the same moment."""

import threading
from collections.abc import Callable

from protocol.errors import ErrorCode, RemoteProtocolError


def together(*calls: Callable[[], bytes]) -> list[bytes | ErrorCode]:
    """Make the calls as simultaneously as threads can."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[bytes | ErrorCode | None] = [None] * len(calls)

    def run(place: int, call: Callable[[], bytes]) -> None:
        barrier.wait()
        try:
            outcomes[place] = call()
        except RemoteProtocolError as error:
            outcomes[place] = error.code

    threads = [threading.Thread(target=run, args=one) for one in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcome for outcome in outcomes if outcome is not None]
