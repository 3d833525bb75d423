"""`handfast activate --waiting`: finish, on this device, an activation that waits for one."""

import argparse
from collections.abc import Sequence

from plugin.commands.document_consent import activate_document, consent_to
from plugin.commands.open_document import show as show_activated
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.person import prompt
from plugin.person.output import print_json
from plugin.person.short_id import begins, short_id
from plugin.person.terminal import ago, plain, say, tell
from plugin.portal.credentials import same_address
from plugin.portal.messages import Taken, TakeOver, WaitingActivation
from plugin.portal.sign_in import Session


def run(args: argparse.Namespace, session: Session) -> int:
    """List what waits, and finish exactly the one that is chosen."""
    portal = session.portal
    waiting = _waiting(session)
    if args.json and not args.waiting and not (args.yes and waiting):
        print_json({"waiting": [_as_json(one) for one in waiting]})
        return ExitCode.OK
    if not waiting and not args.waiting:
        say(_("No activation waits for a device at %s.") % portal.issuer)
        return ExitCode.OK
    chosen = _chosen(args, waiting, portal.device.clock())
    sent = TakeOver(portal.this_device())
    taken = session.call("POST", f"/activations/{chosen.id}/document", sent, answer=Taken)
    consent = consent_to(
        lambda account, service: _is_listed(account, service, chosen),
        _("the document names something that the list did not: %s"),
    )
    show_activated(activate_document(portal, taken.document, consent), as_json=args.json)
    return ExitCode.OK


def _waiting(session: Session) -> list[WaitingActivation]:
    return [one for one in session.every("/activations", one=WaitingActivation) if one.waits]


def _chosen(
    args: argparse.Namespace, waiting: Sequence[WaitingActivation], now: int
) -> WaitingActivation:
    if args.waiting:
        found = [one for one in waiting if begins(one.id, args.waiting)]
        if len(found) != 1:
            raise UserError(
                _("no activation %s waits for a device") % plain(args.waiting),
                _('see "handfast activate --waiting"'),
                ExitCode.USAGE,
            )
        return found[0]
    if len(waiting) == 1:
        tell(_line(waiting[0], now))
        prompt.confirm_or_refuse(args.yes, _("Finish it on this device?"))
        return waiting[0]
    number = prompt.choose(_("Which one?"), [_line(one, now) for one in waiting])
    if number is None:
        for one in waiting:
            tell(f"{short_id(one.id)}  {_line(one, now)}")
        raise UserError(
            _("several activations wait for a device"),
            _("say which one: handfast activate --waiting ID"),
            ExitCode.USAGE,
        )
    return waiting[number]


def _is_listed(account: str, service: str, chosen: WaitingActivation) -> bool:
    return any(
        same_address(account, one.account) and service == one.service for one in chosen.services
    )


def _line(one: WaitingActivation, now: int) -> str:
    services = ", ".join(plain(f"{named.account} {named.service}") for named in one.services)
    return _("%(services)s, begun %(time)s ago") % {
        "services": services,
        "time": ago(now - one.created_at),
    }


def _as_json(one: WaitingActivation) -> dict[str, object]:
    return {
        "id": one.id,
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "services": [{"account": each.account, "service": each.service} for each in one.services],
    }
