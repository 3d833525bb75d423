"""The content handler's use case: from the bytes of a document to keys on both sides."""

from collections.abc import Callable
from dataclasses import dataclass

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import agreement
from plugin.exchange.refusals import untrusted_document
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.person.wording import ConsentRequest
from protocol.activation import ActivationDocument, VerifiedDocument, open_document, validate
from protocol.errors import Reason, VerificationError


@dataclass(frozen=True)
class Activated:
    """The normal end."""

    device_name: str
    keys: tuple[KeyRecord, ...]


Consent = Callable[[ConsentRequest], bool]
Progress = Callable[[str], None]


def activate(
    untrusted_document_bytes: bytes,
    *,
    device: Device,
    origin: str | None,
    consent: Consent,
    progress: Progress,
) -> Activated:
    """Verify, ask, exchange, store, in the order of docs/protocol.md; raises UserError.

    `origin` is where the browser says the document came from, None for a file.
    """
    verified = verify(untrusted_document_bytes, device=device, origin=origin)
    progress("verified")
    if not consent(request_for(verified, device)):
        raise refused_activation()
    # Thinking takes time, and another handler may have been faster.
    check(verified, device=device, origin=origin)
    progress("taken")
    record = agreement.agree(verified, device=device)
    progress("agreed")
    keys = agreement.finish(record, device=device)
    progress("active")
    device.trust.update_if_old(verified.document.iss)
    return Activated(device.description().name, keys)


def resume(
    device: Device,
    progress: Progress,
    *,
    before: int | None = None,
    problem: Callable[[UserError], None] | None = None,
) -> tuple[KeyRecord, ...]:
    """Finish what was cut; an exchange that cannot be finished now stays as it is.

    `problem` is told why each of them stays. `before` (seconds UTC) leaves alone what was begun
    later. Never call this because of a document nobody consented to: it goes to the network.
    What began with a typed code is left alone too, as the person is yet to say yes to it.
    """
    finished: tuple[KeyRecord, ...] = ()
    for record in device.pending():
        if record.kind == "code" or (before is not None and record.created >= before):
            continue
        try:
            finished += agreement.finish(record, device=device, pauses=())
        except UserError as error:
            if error.exit_code is ExitCode.STORE:
                raise
            progress("unfinished")
            if problem is not None:
                problem(error)
        else:
            progress("active")
    return finished


def verify(
    untrusted_document_bytes: bytes, *, device: Device, origin: str | None
) -> VerifiedDocument:
    """Return the document once everything that needs no person was checked; no network act."""
    now = device.clock()
    try:
        verified = open_document(untrusted_document_bytes, device.trust.usable(now))
    except VerificationError as error:
        if error.reason is Reason.UNKNOWN_KEY and device.trust.stale(now):
            error = VerificationError(Reason.STALE_KEY_SET)
        raise untrusted_document(error) from error
    check(verified, device=device, origin=origin)
    return verified


def check(verified: VerifiedDocument, *, device: Device, origin: str | None) -> None:
    """Check what a genuine document must also fulfil, here and now."""
    now, document = device.clock(), verified.document
    try:
        validate(
            verified,
            origin=origin,
            device_jkt=device.identity(document.iss).kid,
            now=now,
            seen=device.has_used,
        )
    except VerificationError as error:
        raise untrusted_document(error, expired_for=now - document.exp) from error


def request_for(verified: VerifiedDocument, device: Device) -> ConsentRequest:
    """Say what the person is asked to allow."""
    document = verified.document
    trust = device.trust.get(document.iss)
    return ConsentRequest(
        issuer=document.iss,
        fingerprint=trust.bundle.fingerprint,
        known_since=trust.added,
        device=device.description().name,
        accounts=_accounts(document),
        until=document.exp,
    )


def refused_activation() -> UserError:
    """The normal end when the person says no."""
    return UserError(
        _("you refused; nothing was sent and nothing was stored"),
        _('press "Activate this device" or run "handfast activate" again if you change your mind'),
        ExitCode.REFUSED_BY_PERSON,
    )


def _accounts(document: ActivationDocument) -> tuple[tuple[str, tuple[str, ...]], ...]:
    services: dict[str, list[str]] = {}
    for grant in document.grants:
        services.setdefault(grant.account, []).append(grant.service)
    return tuple((account, tuple(names)) for account, names in services.items())


__all__ = ["Activated", "Consent", "ConsentRequest", "activate", "check", "resume", "verify"]
