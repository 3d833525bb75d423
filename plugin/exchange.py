"""The key exchange as the device runs it: two posts, resent byte for byte on noise."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from plugin.crashpoints import Point, crashpoint
from plugin.decoding import decode
from plugin.device import Device
from plugin.errors import ExitCode, UserError, refused_by_service, untrusted_document
from plugin.http_answer import Answer, TransportError
from plugin.i18n import _
from plugin.limits import RESEND_PAUSES
from plugin.records import KeyRecord, PendingRecord
from protocol import media_type
from protocol.activation import ActivationDocument, VerifiedDocument, document_prs
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.handshake import Context, GrantName, Initiator, Pending, State

T = TypeVar("T")

# An error answer proves nothing, but sending the same bytes again would not change these.
FINAL: Final = frozenset(
    {
        ErrorCode.MALFORMED,
        ErrorCode.UNSUPPORTED_SUITE,
        ErrorCode.TOO_LARGE,
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        ErrorCode.WRONG_DEVICE,
        ErrorCode.DEVICE_REVOKED,
        ErrorCode.USED,
    }
)


def agree(verified: VerifiedDocument, *, device: Device) -> PendingRecord:
    """Run init and reply; return what the confirm needs once it is stored durably."""
    pending = _offer(verified, device=device)
    record = PendingRecord.of(pending, exchange=verified.document.exchange, now=device.clock())
    if not device.add_pending(record):
        raise untrusted_document(VerificationError(Reason.ALREADY_USED))
    crashpoint("device.pending.stored")
    return record


def finish(
    record: PendingRecord, *, device: Device, pauses: Sequence[float] = RESEND_PAUSES
) -> tuple[KeyRecord, ...]:
    """Run confirm and complete; nothing but a valid complete changes what is stored."""
    pending = _stored(record)
    established = _send(
        device,
        record.issuer,
        record.exchange + "/confirm",
        pending.confirm,
        pending.receive_complete,
        sent="device.confirm.sent",
        pauses=pauses,
        resumable=True,
    )
    crashpoint("device.complete.received")
    keys = device.activate_keys(record, established)
    crashpoint("device.active.stored")
    return keys


def _stored(record: PendingRecord) -> Pending:
    try:
        return record.pending()
    except (LocalProtocolError, RemoteProtocolError) as error:
        raise UserError(
            _("the unfinished exchange %s cannot be read by this version") % record.activation,
            _('remove it with "handfast keys remove" and activate again'),
            ExitCode.UNFINISHED,
        ) from error


def _offer(verified: VerifiedDocument, *, device: Device) -> Pending:
    document = verified.document
    initiator = Initiator(
        Context(document.iss, document.jti, bound_jkt=document.jkt),
        document_prs(verified.raw, [grant.password for grant in document.grants]),
        exchange_keys=verified.issuer.key_set.exchange_keys(document.exchange),
        entropy=device.entropy,
    )
    return _send(
        device,
        document.iss,
        document.exchange + "/init",
        initiator.init(),
        _Receiver(initiator, document, device),
        sent="device.init.sent",
        pauses=RESEND_PAUSES,
        resumable=False,
    )


class _Receiver:
    """Takes replies for one run until one of them is the service's."""

    def __init__(self, initiator: Initiator, document: ActivationDocument, device: Device) -> None:
        self._initiator = initiator
        self._document = document
        self._device = device
        self._refreshed = False

    def __call__(self, untrusted_reply: bytes) -> Pending:
        crashpoint("device.reply.received")
        try:
            return self._receive(untrusted_reply)
        except VerificationError as error:
            if error.reason is not Reason.UNKNOWN_KEY or self._refreshed:
                raise
            # Verified and consented: once, the device may ask whether the service has a new key.
            self._refreshed = True
            key_set = self._device.trust.update(self._document.iss)
            self._initiator.exchange_keys = key_set.exchange_keys(self._document.exchange)
            return self._receive(untrusted_reply)

    def _receive(self, untrusted_reply: bytes) -> Pending:
        document = self._document
        try:
            return self._initiator.receive_reply(
                untrusted_reply,
                identity=self._device.identity(document.iss),
                device=self._device.description(),
                grants=[
                    GrantName(one.id, one.account, one.service, one.service_uid)
                    for one in document.grants
                ],
                sub=document.sub,
            )
        except RemoteProtocolError as error:
            if self._initiator.state is State.OFFERED:
                raise
            # Signed by the service and yet wrong: this run is over, and nothing was stored.
            raise _unfinished(_("the service sent a wrong key share"), False) from error


def _send(
    device: Device,
    issuer: str,
    url: str,
    body: bytes,
    receive: Callable[[bytes], T],
    *,
    sent: Point,
    pauses: Sequence[float],
    resumable: bool,
) -> T:
    ca_file = device.trust.get(issuer).ca_file
    for pause in (*pauses, None):
        try:
            answer = device.transport.post(url, body, ca_file=ca_file)
            crashpoint(sent)
            return receive(_accepted(answer))
        except TransportError as error:
            trouble = _unfinished(str(error), resumable)
        except VerificationError:
            trouble = _unfinished(_("the answer was not signed by the service"), resumable)
        except RemoteProtocolError:
            trouble = _unfinished(_("the answer cannot be the service's"), resumable)
        except _ErrorAnswerError as error:
            if error.code in FINAL:
                raise refused_by_service(error.code) from error
            trouble = _noise(error.code, resumable)
        if pause is not None:
            device.sleep(pause)
    raise trouble


class _Problem(msgspec.Struct):
    code: str


class _ErrorAnswerError(Exception):
    """The service, or somebody on the way, answered with an error code."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code)
        self.code = code


def _accepted(answer: Answer) -> bytes:
    """Return the untrusted message of a good answer, or raise what the answer says."""
    if answer.status == 200 and answer.media_type == media_type.EXCHANGE:
        return answer.untrusted_body
    try:
        code = ErrorCode(decode(answer.untrusted_body, _Problem).code)
    except ValueError:
        raise TransportError(_("it gave no usable answer (%d)") % answer.status) from None
    raise _ErrorAnswerError(code)


def _unfinished(why: str, resumable: bool) -> UserError:
    message = _("the key exchange is not finished: %s") % why
    if resumable:
        hint = _('nothing is lost: it goes on by itself, or run "handfast status"')
    else:
        hint = _('look at the network, then press "Activate this device" again')
    return UserError(message, hint, ExitCode.UNFINISHED)


def _noise(code: ErrorCode, resumable: bool) -> UserError:
    if code in (ErrorCode.BUSY, ErrorCode.UNAVAILABLE):
        return _unfinished(refused_by_service(code).message, resumable)
    error = refused_by_service(code)
    return UserError(error.message, error.hint, ExitCode.REFUSED_BY_SERVICE)
