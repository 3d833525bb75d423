"""`handfast` and `handfast status`: what state this device is in, and what to do next."""

import argparse
from collections.abc import Sequence

from plugin import handler
from plugin.commands.keys import as_json, list_lines
from plugin.commands.open_document import progress
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import removal
from plugin.i18n import _, ngettext
from plugin.keystore import sealing
from plugin.keystore.records import KeyRecord, PendingRecord, RemovalRecord
from plugin.limits import REPORT_STALE
from plugin.person.output import print_json
from plugin.person.terminal import bold, date, plain, say
from plugin.registration import record


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "status",
        help=_("say what state this device is in, and finish what was cut"),
        epilog=_("example: handfast status --json"),
    )
    command.add_argument("--json", action="store_true", help=_("print JSON"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace, device: Device) -> int:
    """Finish what was cut, then say how things are."""
    problems: list[UserError] = []
    handler.resume(device, progress, problem=problems.append)
    removal.answer_all(device)
    pending = device.pending()
    if args.json:
        print_json(_as_json(device, pending))
    else:
        _show(device, pending, problems)
    return ExitCode.UNFINISHED if pending else ExitCode.OK


def _show(
    device: Device, pending: tuple[PendingRecord, ...], problems: Sequence[UserError]
) -> None:
    say(bold(_("This device: %s") % plain(device.description().name)))
    trusts = device.trust.all()
    say(_("Trusts: %s") % (", ".join(trust.issuer for trust in trusts) or _("no service yet")))
    protection = device.store.protection()
    if protection:
        say(_("Key store: %s") % sealing.describe(protection))
    keys = device.store.read().keys
    if keys or pending:
        say("", *list_lines(keys, pending, now=device.clock()))
    for one in device.removals():
        say("", *_removal_lines(one))
    for problem in problems:
        # No error answer ends an exchange, since anybody on the path could have sent it.
        say("", _("Not finished: %s") % plain(problem.message), "  " + plain(problem.hint))
    if problems:
        say("  " + _('or give it up with "handfast keys remove" and its id above'))
    say("", _("Next: %s") % next_step(device, pending))


def _removal_lines(one: RemovalRecord) -> list[str]:
    """Say what a service had removed here, and whether it knows that this is done."""
    lines = [
        _("Removed on %(date)s: everything of %(accounts)s at %(issuer)s")
        % {
            "date": date(one.removed),
            "accounts": ", ".join(plain(account) for account in one.accounts),
            "issuer": plain(one.issuer),
        },
        "  " + _("whoever looks after your account asked for it; your history there says why"),
        "  " + _("this device cannot be used for it until it is allowed there again"),
    ]
    if one.noted is None:
        lines.append("  " + _("the service does not know yet that it is done: it is told again"))
    return lines


def next_step(device: Device, pending: tuple[PendingRecord, ...]) -> str:
    """Return the one most useful thing to do now."""
    trusts = device.trust.all()
    if not trusts:
        return _("handfast trust add https://… (the address of your service)")
    if any(one.kind == "code" for one in pending):
        return _("handfast activate --code (a code that was typed has come to no end yet)")
    if pending:
        return ngettext(
            "%d exchange is not finished: run handfast status again when the network is back",
            "%d exchanges are not finished: run handfast status again when the network is back",
            len(pending),
        ) % len(pending)
    if device.trust.stale(device.clock()):
        return _("handfast trust update")
    keys = device.store.read().keys
    if not keys:
        if not record.read(device.paths):
            return _("handfast activate (or handfast register, to activate in your browser)")
        return (
            _('handfast activate; or sign in at %s and press "Activate this device" there')
            % trusts[0].issuer
        )
    return _next_for_keys(keys, device.clock())


def _next_for_keys(keys: tuple[KeyRecord, ...], now: int) -> str:
    if any(key.proven is None for key in keys):
        return _("handfast refresh (the service has not answered under every key yet)")
    waiting = next((key.issuer for key in keys if key.waiting), None)
    if waiting:
        return _("sign in at %s and confirm that this device is yours") % waiting
    if any(now - (key.reported or 0) > REPORT_STALE for key in keys):
        return _("handfast refresh (the last answer of the service is more than three days old)")
    return _("nothing; this device is active")


def _as_json(device: Device, pending: tuple[PendingRecord, ...]) -> dict[str, object]:
    protection = device.store.protection()
    return {
        "device": device.description().name,
        "trusts": [trust.issuer for trust in device.trust.all()],
        "stale": device.trust.stale(device.clock()),
        "protection": protection.method if protection else None,
        "keys": [as_json(key) for key in device.store.read().keys],
        "removed": [
            {
                "issuer": one.issuer,
                "accounts": list(one.accounts),
                "at": one.removed,
                "noted": one.noted,
            }
            for one in device.removals()
        ],
        "pending": [
            {"activation": one.activation, "issuer": one.issuer, "created": one.created}
            for one in pending
        ],
        "next": next_step(device, pending),
    }
