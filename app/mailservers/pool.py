"""A bounded pool for work that waits for mail servers, off the threads that answer requests."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from typing import Final, TypeVar

from app.mailservers.causes import Cause, MailCheckError
from app.mailservers.deadline import Deadline

T = TypeVar("T")

# The work ends itself at its deadline; the pool only cuts what is stuck a little longer.
_GRACE_SECONDS: Final = 0.5
# So many senders can be slow at once before anybody else is turned away.
_SHARES: Final = 4


class MailPool:
    """At most `threads` pieces of work at a time and `waiting` more in line; beyond that BUSY.

    A mail server can be as slow as it likes, and anybody may name one: so one sender gets no more
    than a share of the places.
    """

    def __init__(self, *, threads: int = 16, waiting: int = 16) -> None:
        self._free = threads + waiting
        self._share = max(1, self._free // _SHARES)
        self._taken: Counter[str | None] = Counter()
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="mail")

    def submit(
        self, work: Callable[[Deadline], T], *, seconds: float, sender: str | None = None
    ) -> "Future[T]":
        """Start the work with a deadline counted from now; raises BUSY where the pool is full.

        The future always ends in time: with the work's result or error, or with UNDECIDED. `sender`
        is who asked for it, as `app.addresses.sender` names it; None is nobody's share.
        """
        self._take(sender)
        deadline = Deadline(seconds)
        outcome: Future[T] = Future()
        cutter = threading.Timer(seconds + _GRACE_SECONDS, _give_up, (deadline, outcome))
        cutter.daemon = True
        cutter.start()
        self._executor.submit(self._run, work, deadline, outcome, cutter, sender)
        return outcome

    def run(self, work: Callable[[Deadline], T], *, seconds: float) -> T:
        """Do the work and wait for it: its result, its error, BUSY or UNDECIDED."""
        return self.submit(work, seconds=seconds).result()

    def close(self) -> None:
        """Take no more work and forget what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _run(
        self,
        work: Callable[[Deadline], T],
        deadline: Deadline,
        outcome: "Future[T]",
        cutter: threading.Timer,
        sender: str | None,
    ) -> None:
        """One piece of work in its thread; its place is free when the thread really is."""
        try:
            deadline.remaining()
            result = work(deadline)
        except TimeoutError:
            _give_up(deadline, outcome)
        # Whatever went wrong belongs to the caller who waits for the future.
        except Exception as error:
            with contextlib.suppress(InvalidStateError):
                outcome.set_exception(error)
        else:
            with contextlib.suppress(InvalidStateError):
                outcome.set_result(result)
        finally:
            cutter.cancel()
            self._leave(sender)

    def _take(self, sender: str | None) -> None:
        with self._lock:
            over = sender is not None and self._taken[sender] >= self._share
            if not self._free or over:
                raise MailCheckError(Cause.BUSY, "no place in the mail pool")
            self._free -= 1
            self._taken[sender] += 1

    def _leave(self, sender: str | None) -> None:
        with self._lock:
            self._free += 1
            self._taken[sender] -= 1
            if not self._taken[sender]:
                del self._taken[sender]


def _give_up(deadline: Deadline, outcome: "Future[T]") -> None:
    """Tell the caller that the time is over, and wake a stuck thread by closing its sockets."""
    with contextlib.suppress(InvalidStateError):
        outcome.set_exception(MailCheckError(Cause.UNDECIDED, "no answer in time"))
    deadline.cut()
