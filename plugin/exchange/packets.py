"""Packets as the device sends them: each with a number of its own, from a block kept durably."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from plugin.crashpoints import crashpoint
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange.answer import FINAL, ErrorAnswerError, accepted
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.limits import RESEND_PAUSES
from plugin.network.http_answer import Answer, TransportError
from plugin.person import terminal
from plugin.person.terminal import plain
from protocol import media_type
from protocol.channel import BLOCK, OneAnswer, Request, open_answer, seal_packet
from protocol.errors import ErrorCode, Reason, RemoteProtocolError, VerificationError
from protocol.notice import Notice, open_notice
from protocol.trust import KeySet

PATH = "/packet"
# Numbers passed over at the first, second and every later `replayed` to one request: a program
# that was faster is overtaken at once, and the store of some years ago within one request. Not
# more, since anybody on the path can write `replayed`, and numbers are to last in spite of it.
LEAPS: Final = (0, BLOCK**2, BLOCK**3)


class KeyEndedError(Exception):
    """The service says, signed, that the key has ended there."""

    def __init__(self, notice: Notice, exchange: str) -> None:
        super().__init__(notice.state)
        self.ending: Final = notice.state
        self.notice: Final = notice
        self.exchange: Final = exchange


@dataclass(frozen=True)
class Answered(Generic[OneAnswer]):
    """An answer that opened under the key, and the exchange that gave it."""

    exchange: str
    answer: OneAnswer


def ask(
    key: KeyRecord,
    content: Request,
    expected: type[OneAnswer],
    *,
    device: Device,
    pauses: Sequence[float] = RESEND_PAUSES,
) -> Answered[OneAnswer]:
    """Send `content` under `key` until an answer opens; raises KeyEndedError or UserError.

    Every try has a number of its own, so `content` must do the same when it arrives twice.
    """
    key_set = current_key_set(key.issuer, device)
    numbers = _Numbers(key.key_id, device)
    trouble = _unanswered(_("no exchange is known"))
    for exchange in _exchanges(key, key_set):
        line = _Line(key, exchange, key_set, numbers, device)
        try:
            return Answered(exchange, line.ask(content, expected, pauses))
        except UserError as error:
            if error.exit_code is ExitCode.STORE:
                raise
            trouble = error
    raise trouble


def current_key_set(issuer: str, device: Device) -> KeySet:
    """Return the issuer's key set, fetched again where the one kept here is out of date."""
    try:
        return device.trust.get(issuer).key_set(device.clock())
    except VerificationError:
        return device.trust.update(issuer)


def _exchanges(key: KeyRecord, key_set: KeySet) -> tuple[str, ...]:
    """Return where the key may be known: where it was made, unless that place is gone."""
    known = tuple(entry.url for entry in key_set.exchanges)
    return (key.exchange,) if key.exchange in known else known


class _Numbers:
    """The numbers of one key's packets; none is ever given twice, by no process."""

    def __init__(self, key_id: str, device: Device) -> None:
        self._key_id = key_id
        self._device = device
        self._left: Iterator[int] = iter(())
        self._skipped = 0
        self._leap = 0

    def take(self) -> int:
        """Return a number, from a block that is reserved durably before its first is used."""
        for number in self._left:
            return number
        self._left = iter(self._device.reserve_numbers(self._key_id, leap=self._leap))
        self._leap = 0
        crashpoint("device.numbers.reserved")
        return next(self._left)

    def skip(self) -> None:
        """Leave the block: the service knows higher numbers than the store, which may be old."""
        self._left = iter(())
        self._leap = LEAPS[min(self._skipped, len(LEAPS) - 1)]
        self._skipped += 1


@dataclass
class _Line:
    """One key's way to one exchange; its key set may be fetched again once."""

    key: KeyRecord
    exchange: str
    key_set: KeySet
    numbers: _Numbers
    device: Device
    refreshed: bool = False

    def ask(
        self, content: Request, expected: type[OneAnswer], pauses: Sequence[float]
    ) -> OneAnswer:
        for pause in (*pauses, None):
            try:
                return self._ask_once(content, expected)
            except TransportError as error:
                trouble = _unanswered(str(error))
            except VerificationError:
                trouble = _unanswered(_("the answer was not signed by the service"))
            except RemoteProtocolError:
                trouble = _unanswered(_("the answer cannot be the service's"))
            except ErrorAnswerError as error:
                trouble = _refused(error.code)
                if error.code in FINAL:
                    raise trouble from error
                if error.code is ErrorCode.REPLAYED:
                    self.numbers.skip()
            if pause is not None:
                if pause >= 1:
                    terminal.notice(_("%s: trying again") % plain(trouble.message))
                self.device.sleep(pause)
        raise trouble

    def _ask_once(self, content: Request, expected: type[OneAnswer]) -> OneAnswer:
        session_key, number = self.key.session_key(), self.numbers.take()
        packet = seal_packet(session_key, "to-service", number, content)
        ca_file = self.device.trust.get(self.key.issuer).ca_file
        answer = self.device.transport.post(self.exchange + PATH, packet, ca_file=ca_file)
        crashpoint("device.packet.sent")
        self._heed_notice(answer)
        return open_answer(session_key, accepted(answer), number=number, expected=expected)

    def _heed_notice(self, answer: Answer) -> None:
        """Raise KeyEndedError if the answer is a genuine notice that this key has ended."""
        if answer.status != 410 or answer.media_type != media_type.NOTICE:
            return
        ended = self._open_notice(answer.untrusted_body)
        if ended.key != self.key.key_id:
            raise RemoteProtocolError(ErrorCode.REFUSED, "a notice about another key")
        raise KeyEndedError(ended, self.exchange)

    def _open_notice(self, untrusted: bytes) -> Notice:
        now = self.device.clock()
        try:
            return open_notice(untrusted, self.key_set, self.exchange, now=now)
        except VerificationError as error:
            if error.reason is not Reason.UNKNOWN_KEY or self.refreshed:
                raise
            self.refreshed = True
            self.key_set = self.device.trust.update(self.key.issuer)
            return open_notice(untrusted, self.key_set, self.exchange, now=now)


def _unanswered(why: str) -> UserError:
    return UserError(
        _("the service did not answer: %s") % why,
        _('nothing is lost: the key still works; "handfast refresh" tries again'),
        ExitCode.UNFINISHED,
    )


def _refused(code: ErrorCode) -> UserError:
    if code is ErrorCode.BUSY:
        return _unanswered(_("it is busy"))
    if code is ErrorCode.UNAVAILABLE:
        return _unanswered(_("it is not available"))
    if code is ErrorCode.REPLAYED:
        return _unanswered(_("it has seen newer packets from this device"))
    return UserError(
        _("the service does not take packets under this key"),
        _("look at the portal whether it knows this device; if not, activate it again"),
        ExitCode.REFUSED_BY_SERVICE,
    )
