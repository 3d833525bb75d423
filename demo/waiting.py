"""Stay up until the person presses Ctrl-C."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType

from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as BrowserError

from demo.processes import Listener

TICK_MILLISECONDS = 300


def wait_for_the_person(context: BrowserContext | None, listeners: Sequence[Listener]) -> None:
    """Return on Ctrl-C; meanwhile keep the browser's window alive, and tell what ends by itself."""
    stop = threading.Event()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    # A flag and no exception, which could leave the browser's driver in the middle of a call.
    before = signal.signal(signal.SIGINT, on_interrupt)
    print("\nCtrl-C ends it.", flush=True)
    running = list(listeners)
    try:
        while not stop.is_set():
            running = [listener for listener in running if not tell_of_end(listener)]
            if context is not None and context.pages:
                context = None if not tick(context) else context
            else:
                stop.wait(TICK_MILLISECONDS / 1000)
    finally:
        signal.signal(signal.SIGINT, before)
    print("\nEnding what was started.", flush=True)


def tell_of_end(listener: Listener) -> bool:
    """Say so if it has ended, which nobody asked it to."""
    status = listener.process.poll()
    if status is None:
        return False
    print(f"\nThe {listener.name} ended by itself ({status}). Its last words: {listener.log}")
    print("What else is up stays up. Ctrl-C and start again to have all of it.", flush=True)
    return True


def tick(context: BrowserContext) -> bool:
    """Let the browser's events through for a moment; False once its window is gone."""
    try:
        context.pages[0].wait_for_timeout(TICK_MILLISECONDS)
    except BrowserError:
        # The person closed the window: the servers stay up all the same.
        return bool(context.pages)
    return True
