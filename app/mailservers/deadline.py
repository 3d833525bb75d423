"""A wall-clock deadline: time-outs are per receive, a dripping server would hold them for ever."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator


class Deadline:
    """A moment on the monotonic clock, and the sockets that end with it."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._cut = False

    def remaining(self) -> float:
        """Seconds left; raises TimeoutError when there are none, so no call ever waits for 0."""
        left = self._end - self._monotonic()
        if self._cut or left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def within(self, seconds: float) -> "Deadline":
        """A nearer deadline for one step of the work; its sockets are cut with this one's."""
        return _Step(self, min(seconds, self.remaining()))

    @contextlib.contextmanager
    def watching(self, watched: socket.socket) -> Iterator[None]:
        """Have this socket closed by `cut` while the block runs."""
        with self._lock:
            self._sockets.add(watched)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.discard(watched)

    def cut(self) -> None:
        """End now: a thread blocked on a watched socket wakes up with an error."""
        with self._lock:
            self._cut = True
            sockets = tuple(self._sockets)
        for each in sockets:
            # An SSLSocket's own shutdown drops TLS first: a thread that sends just then would
            # send in the clear. The plain socket's shutdown never does.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)


class _Step(Deadline):
    """A deadline inside another one."""

    def __init__(self, outer: Deadline, seconds: float) -> None:
        super().__init__(seconds, monotonic=outer._monotonic)
        self._outer = outer

    def remaining(self) -> float:
        return min(super().remaining(), self._outer.remaining())

    @contextlib.contextmanager
    def watching(self, watched: socket.socket) -> Iterator[None]:
        with self._outer.watching(watched), super().watching(watched):
            yield
