"""`handfast sessions`: where the person is signed in at the portal, and signing out."""

import argparse
from collections.abc import Sequence

import msgspec

from plugin.commands.whose import say_whose, tell_of_others
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.person import prompt
from plugin.person.output import print_json
from plugin.person.short_id import begins, short_id
from plugin.person.terminal import ago, listing, plain, say
from plugin.portal import sign_in
from plugin.portal.calls import RefusedByPortalError
from plugin.portal.messages import PortalSession
from plugin.portal.sign_in import Session

CURRENT = "current"


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "sessions",
        help=_("list where you are signed in at the portal, and sign out"),
        epilog=_("example: handfast sessions end current"),
    )
    top.set_defaults(run=run_list)
    sign_in.add_arguments(top)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    listing = actions.add_parser("list", help=_("list browsers and devices that are signed in"))
    listing.set_defaults(run=run_list)
    end = actions.add_parser("end", help=_("sign one of them out"))
    end.add_argument(
        "session",
        metavar=_("SESSION"),
        help=_('the beginning of its id, or "current" for this device'),
    )
    end.add_argument("--yes", action="store_true", help=_("do not ask"))
    end.set_defaults(run=run_end)
    for command in (listing, end):
        sign_in.add_arguments(command, again=True)


def run_list(args: argparse.Namespace, device: Device) -> int:
    """List the sessions, this one first."""
    session = sign_in.open_session(args, device)
    found = _sessions(session)
    if args.json:
        print_json([msgspec.structs.asdict(one) for one in found])
        return ExitCode.OK
    now = device.clock()
    rows = [
        (
            short_id(one.id),
            plain(one.name) + (_(" (this one)") if one.current else ""),
            {"browser": _("browser"), "client": _("device")}.get(one.kind, plain(one.kind)),
            plain(one.address),
            _("%s ago") % ago(now - one.seen_at),
        )
        for one in found
    ]
    own = say_whose(_("Signed in as %(whose)s at %(portal)s:"), session)
    say(*listing((_("SESSION"), _("NAME"), _("KIND"), _("ADDRESS"), _("SEEN")), rows))
    tell_of_others("sessions", own, session, args)
    return ExitCode.OK


def run_end(args: argparse.Namespace, device: Device) -> int:
    """Sign one of them out; a device that is signed out already has nothing to end."""
    session = sign_in.open_session(args, device)
    issuer = session.portal.issuer
    if args.session == CURRENT and sign_in.token_of(device, issuer) is None:
        raise UserError(
            _("this device is not signed in at %s") % issuer,
            _("there is nothing to end"),
            ExitCode.USAGE,
        )
    one = _find(_sessions(session), args.session)
    prompt.confirm_or_refuse(args.yes, _("Sign out %s?") % plain(one.name))
    if one.current:
        session.leave("/sessions/current")
    else:
        _end(session, one)
    if args.json:
        print_json({"id": one.id, "name": one.name, "ended": True})
    else:
        say(_("Signed out %s.") % plain(one.name))
    return ExitCode.OK


def _sessions(session: Session) -> list[PortalSession]:
    return session.every("/sessions", one=PortalSession)


def _end(session: Session, one: PortalSession) -> None:
    try:
        session.call("DELETE", f"/sessions/{one.id}", answer=msgspec.Raw)
    except RefusedByPortalError as error:
        # Ended meanwhile, or just now by a call whose answer was lost: that is what is wanted.
        if error.code != "not-found":
            raise


def _find(found: Sequence[PortalSession], wanted: str) -> PortalSession:
    matching = [
        one for one in found if (wanted == CURRENT and one.current) or begins(one.id, wanted)
    ]
    if len(matching) != 1:
        raise UserError(
            _("there is no session %s") % plain(wanted)
            if not matching
            else _("several sessions begin with %s") % plain(wanted),
            _('see "handfast sessions"'),
            ExitCode.USAGE,
        )
    return matching[0]
