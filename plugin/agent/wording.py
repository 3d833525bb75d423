"""The agent's question, in the same words on a terminal and in a dialog."""

from dataclasses import dataclass

from plugin.i18n import _
from plugin.person.terminal import date, plain


@dataclass(frozen=True)
class AccessRequest:
    """What a program wants; `known_since` if it was allowed the same before it changed."""

    program: str
    issuer: str
    account: str
    service: str
    purpose: str
    known_since: int | None = None


def access_lines(request: AccessRequest) -> list[str]:
    """Return the lines of the question; nothing in them comes from outside unescaped."""
    lines = [
        _("A program on this device asks for a key."),
        "",
        _("Program:      %s") % plain(request.program),
        _("Purpose:      %s") % plain(request.purpose),
        _("Account:      %(account)s (%(service)s)")
        % {"account": plain(request.account), "service": plain(request.service)},
        _("Service:      %s") % plain(request.issuer),
    ]
    if request.known_since is not None:
        changed = _("It has changed since you allowed it on %s.") % date(request.known_since)
        lines += ["", changed]
    return lines
