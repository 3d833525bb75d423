"""A code that the person typed: exchange, then ask, then store; docs/protocol.md 15.3."""

from collections.abc import Callable, Sequence

from plugin.crashpoints import crashpoint
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import agreement, unwanted
from plugin.exchange.packets import current_key_set
from plugin.i18n import _
from plugin.keystore.records import KeyRecord, PendingRecord
from plugin.limits import RESEND_PAUSES
from plugin.person.wording import ConsentRequest
from plugin.trust.issuers import Trust
from protocol.codes import Code
from protocol.handshake import Context, Established, code_prs

Consent = Callable[[ConsentRequest], bool]


def activate(
    code: Code, *, trust: Trust, device: Device, consent: Consent
) -> tuple[KeyRecord, ...]:
    """Agree on keys with a code, and keep them if the person wants them; raises UserError.

    One entry is one run, and never more: each uses up one of the code's five. What an earlier
    entry for the same issuer left unfinished is given up.
    """
    device.give_up(begun(trust.issuer, device=device))
    key_set = current_key_set(trust.issuer, device)
    run = agreement.Run(
        Context(trust.issuer, code.handle, kind="code"),
        code_prs(trust.issuer, code.secret),
        # An issuer with several exchanges has its codes at the first.
        key_set.exchanges[0].url,
    )
    record = agreement.begin(run, key_set, device=device)
    if record is None:
        raise UserError(
            _("another program on this device is using the same code"),
            _('look at it with "handfast status"'),
            ExitCode.UNFINISHED,
        )
    return _ask(record, agreement.complete(record, device=device), trust, device, consent)


def finish_begun(*, trust: Trust, device: Device, consent: Consent) -> tuple[KeyRecord, ...] | None:
    """Finish the code of an earlier entry that the service took; None if there is none.

    Raises UserError if nobody answers, or the person refuses.
    """
    for record in begun(trust.issuer, device=device):
        established = _complete_once(record, device)
        if established is not None:
            return _ask(record, established, trust, device, consent)
    return None


def begun(issuer: str, *, device: Device) -> tuple[PendingRecord, ...]:
    """Return the runs of codes for this issuer that have no end yet."""
    return tuple(
        record for record in device.pending() if record.kind == "code" and record.issuer == issuer
    )


def _complete_once(
    record: PendingRecord, device: Device, pauses: Sequence[float] = RESEND_PAUSES[:1]
) -> Established | None:
    """Send a confirm again; None where the service refuses it, as it does after a wrong code."""
    try:
        return agreement.complete(record, device=device, pauses=pauses)
    except UserError as error:
        if error.exit_code is ExitCode.REFUSED_BY_SERVICE:
            return None
        raise


def _ask(
    record: PendingRecord,
    established: Established,
    trust: Trust,
    device: Device,
    consent: Consent,
) -> tuple[KeyRecord, ...]:
    """Store the keys after a yes; after a no, have the service end them. Until then nothing."""
    services: dict[str, list[str]] = {}
    for key in established.keys:
        services.setdefault(key.account, []).append(key.service)
    request = ConsentRequest(
        issuer=trust.issuer,
        fingerprint=trust.bundle.fingerprint,
        known_since=trust.added,
        device=device.description().name,
        accounts=tuple((account, tuple(names)) for account, names in services.items()),
        until=None,
    )
    if consent(request):
        keys = device.activate_keys(record, established)
        crashpoint("device.active.stored")
        return keys
    device.refuse_keys(record, established)
    crashpoint("device.unwanted.stored")
    raise _refused(unwanted.end_all(device))


def _refused(is_told: bool) -> UserError:
    if is_told:
        hint = _("the service has ended the keys; your account's history shows it")
    else:
        hint = _('the service could not be told yet; "handfast refresh" tells it')
    return UserError(_("you refused; this device keeps no key"), hint, ExitCode.REFUSED_BY_PERSON)
