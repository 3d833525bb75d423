"""Consent to the document of a portal's answer: to what the person asked for, and nothing else."""

from collections.abc import Callable

from plugin import handler
from plugin.commands.open_document import progress
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.handler import Activated, Consent, ConsentRequest
from plugin.i18n import _
from plugin.person.terminal import notice, plain
from plugin.portal.calls import Portal


def consent_to(is_asked: Callable[[str, str], bool], message: str) -> Consent:
    """Return the consent to accounts and services for which `is_asked` says yes.

    A document that names anything else is refused with `message`, in which %s is what it names.
    """

    def consent(request: ConsentRequest) -> bool:
        for account, names in request.accounts:
            for name in names:
                if not is_asked(account, name):
                    raise UserError(
                        message % plain(f"{account} {name}"),
                        _("nothing was activated; tell whoever runs the service"),
                        ExitCode.UNTRUSTED,
                    )
            notice(plain(f"{account}: {', '.join(names)}"))
        return True

    return consent


def activate_document(portal: Portal, document: str, consent: Consent) -> Activated:
    """Agree on keys for a document that came with an answer, and prove them."""
    device = portal.device
    if portal.issuer in device.trust.stale(device.clock()):
        device.trust.update(portal.issuer)
    activated = handler.activate(
        document.encode(),
        device=device,
        origin=portal.issuer,
        consent=consent,
        progress=progress,
    )
    contact.after_activation(device, activated.keys)
    return activated
