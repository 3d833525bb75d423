"""The key exchange as the device runs it: two posts, resent byte for byte on noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from plugin.crashpoints import Point, crashpoint
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange.answer import FINAL, ErrorAnswerError, accepted
from plugin.exchange.refusals import refused_by_service, untrusted_document
from plugin.i18n import _
from plugin.keystore.records import KeyRecord, PendingKind, PendingRecord
from plugin.limits import RESEND_PAUSES
from plugin.network.http_answer import TransportError
from protocol.activation import VerifiedDocument, document_prs
from protocol.errors import (
    ErrorCode,
    LocalProtocolError,
    Reason,
    RemoteProtocolError,
    VerificationError,
)
from protocol.handshake import Context, Established, GrantName, Initiator, Pending, State
from protocol.trust import KeySet

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """What a run is about: a document, a rotation of the key `replaces`, or a typed code.

    A code does not say what for (`grants`) and whose it is (`sub`).
    """

    context: Context
    prs: bytes = field(repr=False)
    exchange: str
    grants: tuple[GrantName, ...] = ()
    sub: str | None = None
    replaces: str | None = None


def agree(verified: VerifiedDocument, *, device: Device) -> PendingRecord:
    """Run init and reply for a document; return what the confirm needs, stored durably."""
    document = verified.document
    run = Run(
        Context(document.iss, document.jti, bound_jkt=document.jkt),
        document_prs(verified.raw, [grant.password for grant in document.grants]),
        document.exchange,
        tuple(
            GrantName(one.id, one.account, one.service, one.service_uid) for one in document.grants
        ),
        document.sub,
    )
    record = begin(run, verified.issuer.key_set, device=device)
    if record is None:
        raise untrusted_document(VerificationError(Reason.ALREADY_USED))
    return record


def begin(
    run: Run, key_set: KeySet, *, device: Device, pauses: Sequence[float] = RESEND_PAUSES
) -> PendingRecord | None:
    """Run init and reply; return what was stored, None when another program was first."""
    initiator = Initiator(
        run.context,
        run.prs,
        exchange_keys=key_set.exchange_keys(run.exchange),
        entropy=device.entropy,
    )
    pending = _send(
        device,
        run.context.issuer,
        run.exchange + "/init",
        initiator.init(),
        _Receiver(initiator, run, device),
        kind=run.context.kind,
        sent="device.init.sent",
        pauses=pauses,
        resumable=False,
    )
    record = PendingRecord.of(
        pending, exchange=run.exchange, now=device.clock(), replaces=run.replaces
    )
    if not device.add_pending(record):
        return None
    crashpoint("device.pending.stored")
    return record


def finish(
    record: PendingRecord, *, device: Device, pauses: Sequence[float] = RESEND_PAUSES
) -> tuple[KeyRecord, ...]:
    """Run confirm and complete; nothing but a valid complete changes what is stored."""
    established = complete(record, device=device, pauses=pauses)
    keys = device.activate_keys(record, established)
    crashpoint("device.active.stored")
    return keys


def complete(
    record: PendingRecord, *, device: Device, pauses: Sequence[float] = RESEND_PAUSES
) -> Established:
    """Run confirm and complete, and store nothing: the run stays pending."""
    pending = _stored(record)
    established = _send(
        device,
        record.issuer,
        record.exchange + "/confirm",
        pending.confirm,
        pending.receive_complete,
        kind=record.kind,
        sent="device.confirm.sent",
        pauses=pauses,
        resumable=True,
    )
    crashpoint("device.complete.received")
    return established


def _stored(record: PendingRecord) -> Pending:
    try:
        return record.pending()
    except (LocalProtocolError, RemoteProtocolError) as error:
        raise UserError(
            _("the unfinished exchange %s cannot be read by this version") % record.activation,
            _('remove it with "handfast keys remove" and activate again'),
            ExitCode.UNFINISHED,
        ) from error


class _Receiver:
    """Takes replies for one run until one of them is the service's."""

    def __init__(self, initiator: Initiator, run: Run, device: Device) -> None:
        self._initiator = initiator
        self._run = run
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
            key_set = self._device.trust.update(self._run.context.issuer)
            self._initiator.exchange_keys = key_set.exchange_keys(self._run.exchange)
            return self._receive(untrusted_reply)

    def _receive(self, untrusted_reply: bytes) -> Pending:
        run = self._run
        try:
            return self._initiator.receive_reply(
                untrusted_reply,
                identity=self._device.identity(run.context.issuer),
                device=self._device.description(),
                grants=run.grants,
                sub=run.sub,
            )
        except RemoteProtocolError as error:
            if self._initiator.state is State.OFFERED:
                raise
            # Signed by the service and yet wrong: this run is over, and nothing was stored.
            why = _("the service sent a wrong key share")
            raise _unfinished(why, run.context.kind, False) from error


def _send(
    device: Device,
    issuer: str,
    url: str,
    body: bytes,
    receive: Callable[[bytes], T],
    *,
    kind: PendingKind,
    sent: Point,
    pauses: Sequence[float],
    resumable: bool,
) -> T:
    ca_file = device.trust.get(issuer).ca_file
    for pause in (*pauses, None):
        try:
            answer = device.transport.post(url, body, ca_file=ca_file)
            crashpoint(sent)
            return receive(accepted(answer))
        except TransportError as error:
            trouble = _unfinished(str(error), kind, resumable)
        except VerificationError:
            why = _("the answer was not signed by the service")
            trouble = _unfinished(why, kind, resumable)
        except RemoteProtocolError:
            trouble = _unfinished(_("the answer cannot be the service's"), kind, resumable)
        except ErrorAnswerError as error:
            if error.code in FINAL:
                raise refused_by_service(error.code, kind) from error
            trouble = _noise(error.code, kind, resumable)
        if pause is not None:
            device.sleep(pause)
    raise trouble


def _unfinished(why: str, kind: PendingKind, resumable: bool) -> UserError:
    message = _("the key exchange is not finished: %s") % why
    if kind == "code" and resumable:
        hint = _('nothing is lost: "handfast activate --code" goes on with it')
    elif kind == "code":
        hint = _("look at the network, then type the code again")
    elif resumable:
        hint = _('nothing is lost: it goes on by itself, or run "handfast status"')
    elif kind == "rotation":
        hint = _('nothing is lost: the old key works; "handfast refresh" tries again')
    else:
        hint = _("look at the network, then activate again")
    return UserError(message, hint, ExitCode.UNFINISHED)


def _noise(code: ErrorCode, kind: PendingKind, resumable: bool) -> UserError:
    error = refused_by_service(code, kind)
    if code in (ErrorCode.BUSY, ErrorCode.UNAVAILABLE):
        return _unfinished(error.message, kind, resumable)
    return UserError(error.message, error.hint, ExitCode.REFUSED_BY_SERVICE)
