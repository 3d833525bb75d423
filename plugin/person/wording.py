"""The question itself, in the same words on a terminal and in a dialog."""

from dataclasses import dataclass

from plugin.i18n import _
from plugin.person.terminal import date, plain


@dataclass(frozen=True)
class ConsentRequest:
    """What a person is asked; times in seconds UTC. A typed code has no time left to name."""

    issuer: str
    fingerprint: str
    known_since: int
    device: str
    accounts: tuple[tuple[str, tuple[str, ...]], ...]
    until: int | None


def consent_lines(request: ConsentRequest) -> list[str]:
    """Return the lines of the question; nothing in them comes from outside unescaped."""
    lines = [
        _("%s wants to activate this device.") % plain(request.issuer),
        "",
        _("Service:      %s") % plain(request.issuer),
        _("Fingerprint:  %s") % request.fingerprint,
        _("Known since:  %s") % date(request.known_since),
        _("This device:  %s") % plain(request.device),
    ]
    lines += [
        _("Account:      %(account)s (%(services)s)")
        % {"account": plain(account), "services": ", ".join(plain(name) for name in services)}
        for account, services in request.accounts
    ]
    if request.until is None:
        return lines
    return [*lines, _("Until:        %s") % date(request.until)]
