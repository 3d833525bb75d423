"""What the agent asks the person: one question at a time, and none that was just answered."""

import threading
from collections.abc import Callable
from typing import Final

from plugin.agent.message import AgentCode, AgentError
from plugin.agent.wording import AccessRequest, access_lines
from plugin.i18n import _
from plugin.keystore.sealing import AskPassphrase, locked
from plugin.person.prompt import NOBODY_TO_ASK

# A program that was refused is not heard for a while, so that it cannot wear the person down.
REFUSAL_SECONDS: Final = 600
PASSPHRASE_SECONDS: Final = 60
# How long one question may keep the next one waiting.
TURN_SECONDS: Final = 60

Ask = Callable[[str], bool | None]


class Questions:
    """Shared by all connections; `clock` never goes back (seconds)."""

    def __init__(
        self,
        *,
        ask: Ask,
        ask_passphrase: AskPassphrase,
        clock: Callable[[], float],
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._ask = ask
        self._ask_passphrase = ask_passphrase
        self._clock = clock
        self._turn_seconds = turn_seconds
        self._turn = threading.RLock()
        self._refused: dict[str, float] = {}
        self._passphrase_asked: float | None = None

    def access(
        self,
        request: AccessRequest,
        *,
        still_wanted: Callable[[], bool],
        allow: Callable[[], object],
    ) -> None:
        """Put the request to the person if it is still wanted, and call `allow` after a yes."""
        self._check_refused(request.program)
        if not self._turn.acquire(timeout=self._turn_seconds):
            raise AgentError(
                AgentCode.BUSY,
                _("you are being asked about another program"),
                _("answer that question, then let the program try again"),
            )
        try:
            # What was said to the question before this one may have answered it.
            self._check_refused(request.program)
            if still_wanted():
                self._put(request)
                allow()
        finally:
            self._turn.release()

    def passphrase(self) -> str:
        """Ask for the passphrase of the key store, but not again at once after a wrong one."""
        # Never waiting: whoever has the turn may be waiting for the store that we hold.
        if not self._turn.acquire(blocking=False):
            raise locked(_("the key store is locked"))
        try:
            now, asked = self._clock(), self._passphrase_asked
            if asked is not None and now - asked < PASSPHRASE_SECONDS:
                raise locked(_("the key store is locked"))
            self._passphrase_asked = now
            return self._ask_passphrase()
        finally:
            self._turn.release()

    def _put(self, request: AccessRequest) -> None:
        answer = self._ask("\n".join(access_lines(request)))
        if answer is None:
            raise AgentError(
                AgentCode.NO_WAY_TO_ASK,
                NOBODY_TO_ASK,
                _('allow it with "handfast access allow", or run the agent on a terminal'),
            )
        if not answer:
            self._refused[request.program] = self._clock()
            raise _refused()

    def _check_refused(self, program: str) -> None:
        now = self._clock()
        # Another thread may note a refusal meanwhile; it must not be lost.
        for name, at in list(self._refused.items()):
            if now - at >= REFUSAL_SECONDS:
                self._refused.pop(name, None)
        if program in self._refused:
            raise _refused()


def _refused() -> AgentError:
    return AgentError(
        AgentCode.REFUSED,
        _("you refused this program"),
        _('it is not heard for ten minutes; "handfast access allow" allows it at once'),
    )
