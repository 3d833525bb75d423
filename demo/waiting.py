"""Stay up until the person presses Ctrl-C."""

import signal
import threading
from types import FrameType

from playwright.sync_api import BrowserContext
from playwright.sync_api import Error as BrowserError

TICK_MILLISECONDS = 300


def wait_for_the_person(context: BrowserContext | None) -> None:
    """Return on Ctrl-C; meanwhile keep the browser's window alive, as long as it is open."""
    stop = threading.Event()

    def on_interrupt(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    # A flag and no exception, which could leave the browser's driver in the middle of a call.
    before = signal.signal(signal.SIGINT, on_interrupt)
    print("\nCtrl-C ends it.", flush=True)
    try:
        while not stop.is_set():
            if context is not None and context.pages:
                context = None if not tick(context) else context
            else:
                stop.wait(TICK_MILLISECONDS / 1000)
    finally:
        signal.signal(signal.SIGINT, before)
    print("\nEnding what was started.", flush=True)


def tick(context: BrowserContext) -> bool:
    """Let the browser's events through for a moment; False once its window is gone."""
    try:
        context.pages[0].wait_for_timeout(TICK_MILLISECONDS)
    except BrowserError:
        # The person closed the window: the servers stay up all the same.
        return bool(context.pages)
    return True
