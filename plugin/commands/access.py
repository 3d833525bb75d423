"""`handfast access`: which programs may have keys, since when, and for what."""

import argparse
import hashlib
import shlex
from pathlib import Path

import msgspec

from plugin.agent.answering import allow, choose
from plugin.agent.message import KeyRequest
from plugin.agent.program import program_of
from plugin.agent.wording import AccessRequest, access_lines
from plugin.device import Device
from plugin.errors import ExitCode, UserError, refused_by_person
from plugin.i18n import _
from plugin.keystore.records import Contents, KeyRecord, ProgramRecord
from plugin.person import prompt
from plugin.person.output import add_json_option, print_json
from plugin.person.short_id import begins
from plugin.person.terminal import date, listing, plain, say, tell
from protocol.encoding import lv_cat
from protocol.session import is_purpose


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "access",
        help=_("show and change which programs may have keys"),
        epilog=_("example: handfast access list"),
    )
    top.set_defaults(run=run_list)
    add_json_option(top)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    listing = actions.add_parser("list", help=_("list programs and what they may have keys for"))
    add_json_option(listing, again=True)
    listing.set_defaults(run=run_list)
    remove = actions.add_parser(
        "remove",
        help=_("take the access back; the program is asked about again"),
        description=_(
            "Take the access back. It counts from the program's next request on; a key that the "
            "program already has stays with it until that key is rotated."
        ),
    )
    remove.add_argument(
        "access", metavar=_("ID|PROGRAM"), help=_("one access, or all of one program")
    )
    remove.set_defaults(run=run_remove, json=False)
    _define_allow(actions)


def _define_allow(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = actions.add_parser(
        "allow",
        help=_("allow a program before it asks"),
        epilog=_("example: handfast access allow ~/bin/contacts --service contacts --purpose sync"),
    )
    command.add_argument("program", type=Path, metavar=_("FILE"))
    command.add_argument("--service", required=True, help=_("the service, for example contacts"))
    command.add_argument("--purpose", required=True, help=_("what the program says it is for"))
    command.add_argument("--account", help=_("the account, where there are several"))
    command.add_argument(
        "--key",
        metavar=_("KEY"),
        help=_(
            "the id of the key, or the beginning of it, where account and service leave several"
        ),
    )
    command.add_argument(
        "--run-by",
        type=Path,
        metavar=_("FILE"),
        help=_("the interpreter, for a script whose first line names none"),
    )
    command.set_defaults(run=run_allow, json=False)


def run_list(args: argparse.Namespace, device: Device) -> int:
    """List every access."""
    records = device.store.read().programs
    if args.json:
        print_json([_as_json(record) for record in records])
    elif not records:
        say(_("No program on this device may have a key."))
    else:
        rows = [
            (
                access_id(record),
                plain(record.program),
                plain(record.account),
                plain(record.service),
                plain(record.purpose),
                date(record.granted),
            )
            for record in records
        ]
        head = (_("ID"), _("PROGRAM"), _("ACCOUNT"), _("SERVICE"), _("PURPOSE"), _("SINCE"))
        say(*listing(head, rows))
    return ExitCode.OK


def run_remove(args: argparse.Namespace, device: Device) -> int:
    """Forget one access, or all of one program."""
    gone: list[ProgramRecord] = []

    def remove(contents: Contents) -> Contents:
        gone[:] = [record for record in contents.programs if _is_meant(record, args.access)]
        kept = tuple(record for record in contents.programs if record not in gone)
        return msgspec.structs.replace(contents, programs=kept)

    device.store.change(remove)
    if not gone:
        raise UserError(
            _("no program has the access %s") % plain(args.access),
            _('see "handfast access list"'),
            ExitCode.USAGE,
        )
    for record in gone:
        say(
            _("%(program)s gets no key for %(service)s (%(purpose)s) any more.")
            % {
                "program": plain(record.program),
                "service": plain(record.service),
                "purpose": plain(record.purpose),
            }
        )
    tell(_("The key it already has is worth nothing after: handfast keys rotate --all"))
    return ExitCode.OK


def run_allow(args: argparse.Namespace, device: Device) -> int:
    """Name the program by its files, ask, and keep the access."""
    if not is_purpose(args.purpose):
        raise UserError(
            _("%s cannot name a purpose") % plain(args.purpose),
            _("take a lower-case word, with digits and hyphens if need be"),
            ExitCode.USAGE,
        )
    key = _key_of(device.store.read().keys, args)
    program = program_of(args.program, args.run_by)
    request = AccessRequest(program.name, key.issuer, key.account, key.service, args.purpose)
    answer = prompt.ask("\n".join(access_lines(request)))
    if answer is None:
        raise prompt.no_way_to_ask(_("run the command on a terminal"))
    if not answer:
        raise refused_by_person()
    record = allow(device, program, key, args.purpose)
    say(_("Allowed as %s.") % access_id(record))
    return ExitCode.OK


def access_id(record: ProgramRecord) -> str:
    """A short name for a command line; it changes when the program does."""
    content = lv_cat(
        record.program,
        record.digest,
        record.issuer,
        record.account,
        record.service,
        record.purpose,
    )
    return hashlib.sha256(content).hexdigest()[:8]


def _key_of(keys: tuple[KeyRecord, ...], args: argparse.Namespace) -> KeyRecord:
    request = KeyRequest(1, args.service, args.purpose, "to-device", args.account)
    if args.key is not None:
        keys = tuple(key for key in keys if begins(key.key_id, args.key))
    return choose(keys, request)


def _is_meant(record: ProgramRecord, named: str) -> bool:
    return named in (access_id(record), record.program, *shlex.split(record.program)[-1:])


def _as_json(record: ProgramRecord) -> dict[str, object]:
    return {"id": access_id(record), **msgspec.structs.asdict(record)}
