"""`handfast devices`: all devices of the person who owns this one, as the portal knows them."""

import argparse
from collections.abc import Sequence

import msgspec

from plugin.commands.whose import say_whose, tell_of_others
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.i18n import _
from plugin.person import prompt
from plugin.person.output import print_json
from plugin.person.short_id import begins, short_id
from plugin.person.terminal import ago, date, listing, plain, say, tell
from plugin.portal import sign_in
from plugin.portal.calls import RefusedByPortalError
from plugin.portal.messages import PortalDevice
from plugin.portal.sign_in import Session


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "devices",
        help=_("list, revoke, restore and confirm your devices at the portal"),
        epilog=_("example: handfast devices revoke old-laptop"),
    )
    top.set_defaults(run=run_list)
    sign_in.add_arguments(top)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    listing = actions.add_parser("list", help=_("list your devices"))
    listing.set_defaults(run=run_list)
    revoke = actions.add_parser("revoke", help=_("end all keys of a device, and keep it out"))
    revoke.set_defaults(run=run_revoke)
    restore = actions.add_parser("restore", help=_("let a revoked device activate again"))
    restore.set_defaults(run=run_restore)
    confirm = actions.add_parser("confirm", help=_("say that a new device is yours"))
    confirm.set_defaults(run=run_confirm)
    for command in (revoke, restore, confirm):
        command.add_argument(
            "name", metavar=_("NAME"), help=_("its name, or the beginning of its id")
        )
        command.add_argument("--yes", action="store_true", help=_("do not ask"))
    for command in (listing, revoke, restore, confirm):
        sign_in.add_arguments(command, again=True)


def run_list(args: argparse.Namespace, device: Device) -> int:
    """List the person's devices."""
    session = sign_in.open_session(args, device)
    found = _devices(session)
    here = session.portal.this_device().jkt
    if args.json:
        print_json([_as_json(one, here) for one in found])
        return ExitCode.OK
    own = say_whose(_("Devices of %(whose)s at %(portal)s:"), session)
    say(*_lines(found, here, device.clock()))
    tell_of_others("devices", own, session, args)
    return ExitCode.OK


def _lines(found: Sequence[PortalDevice], here: str, now: int) -> list[str]:
    if not found:
        return [_("none yet")]
    rows = [
        (
            short_id(one.id),
            plain(one.name) + (_(" (this device)") if one.jkt == here else ""),
            _state(one, now),
            str(one.keys),
            _("%s ago") % ago(now - one.seen_at),
        )
        for one in found
    ]
    return listing((_("DEVICE"), _("NAME"), _("STATE"), _("KEYS"), _("SEEN")), rows)


def run_revoke(args: argparse.Namespace, device: Device) -> int:
    """Say what goes, ask, and revoke the device at the portal."""
    session = sign_in.open_session(args, device)
    one = _find(_devices(session), args.name)
    is_here = one.jkt == session.portal.this_device().jkt
    question = _("Revoke %s? All its keys end, and it is signed out.") % plain(one.name)
    if is_here:
        tell(
            _(
                "That is this very device, and no command on it can undo this: only the page of"
                " your devices, %s/devices, or another device of yours."
            )
            % session.portal.issuer
        )
    prompt.confirm_or_refuse(args.yes, question)
    if is_here:
        # The session ends with the device.
        session.leave(f"/devices/{one.id}")
        _drop_ended_keys(device, session.portal.issuer)
    else:
        session.call("DELETE", f"/devices/{one.id}", answer=msgspec.Raw)
    _told(args, one, "revoked", _("Revoked %s.") % plain(one.name))
    return ExitCode.OK


def run_restore(args: argparse.Namespace, device: Device) -> int:
    """Let a revoked device activate again."""
    session = sign_in.open_session(args, device)
    try:
        one = _find(_devices(session), args.name)
    except RefusedByPortalError as error:
        if error.code != "device-revoked":
            raise
        raise UserError(
            error.message,
            _("allow it again on the page of your devices: %s/devices") % session.portal.issuer,
            error.exit_code,
            error.code,
        ) from error
    question = _("Let %s activate again? Its revoked keys stay revoked.") % plain(one.name)
    prompt.confirm_or_refuse(args.yes, question)
    session.call("POST", f"/devices/{one.id}/restoration", answer=msgspec.Raw)
    _told(args, one, "active", _("%s may activate again.") % plain(one.name))
    return ExitCode.OK


def run_confirm(args: argparse.Namespace, device: Device) -> int:
    """Say that a device is the person's own."""
    session = sign_in.open_session(args, device)
    one = _find(_devices(session), args.name)
    question = _("Is %(name)s, first seen %(date)s, your device?") % {
        "name": plain(one.name),
        "date": date(one.created_at),
    }
    prompt.confirm_or_refuse(args.yes, question)
    session.call("POST", f"/devices/{one.id}/confirmation", answer=msgspec.Raw)
    _told(args, one, "active", _("Confirmed %s.") % plain(one.name))
    return ExitCode.OK


def _devices(session: Session) -> list[PortalDevice]:
    return session.every("/devices", one=PortalDevice)


def _drop_ended_keys(device: Device, issuer: str) -> None:
    """Report in under this device's keys: the service says, signed, that they have ended."""
    try:
        keys = {key.key_id for key in device.store.read().keys if key.issuer == issuer}
        contact.report_in(device, only=keys, pauses=())
    except (UserError, OSError):
        # The device is revoked, which is what was asked for; the daily refresh tries again.
        return


def _told(args: argparse.Namespace, one: PortalDevice, state: str, sentence: str) -> None:
    if args.json:
        print_json({"id": one.id, "name": one.name, "state": state})
    else:
        say(sentence)


def _find(found: Sequence[PortalDevice], wanted: str) -> PortalDevice:
    matching = [one for one in found if one.name == wanted] or [
        one for one in found if begins(one.id, wanted)
    ]
    if len(matching) == 1:
        return matching[0]
    if matching:
        ids = ", ".join(short_id(one.id) for one in matching)
        raise UserError(
            _("several devices are called %s") % plain(wanted),
            _("give the beginning of an id: %s") % ids,
            ExitCode.USAGE,
        )
    raise UserError(
        _("you have no device %s") % plain(wanted), _('see "handfast devices"'), ExitCode.USAGE
    )


def _state(one: PortalDevice, now: int) -> str:
    if one.state == "active" and one.confirmed_at is None and one.confirm_by is not None:
        return _("yours? confirm within %s") % ago(one.confirm_by - now)
    return {"active": _("active"), "revoked": _("revoked")}.get(one.state, plain(one.state))


def _as_json(one: PortalDevice, here: str) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "this_device": one.jkt == here,
        "state": one.state,
        "keys": one.keys,
        "created_at": one.created_at,
        "seen_at": one.seen_at,
        "revoked_at": one.revoked_at,
        "confirmed_at": one.confirmed_at,
        "confirm_by": one.confirm_by,
    }
