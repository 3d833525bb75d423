"""`handfast keys`: the keys on this device, and what protects them."""

import argparse

from plugin import prompt, sealing
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.output import print_json
from plugin.passphrase import new_passphrase
from plugin.records import KeyRecord, PendingRecord
from plugin.terminal import bold, date, plain, say, table, tell


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "keys",
        help=_("show, remove and protect the keys on this device"),
        epilog=_("example: handfast keys list"),
    )
    top.set_defaults(run=run_list, json=False)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    listing = actions.add_parser("list", help=_("list the keys; never the secrets themselves"))
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help=_("show everything public about one key"))
    show.add_argument("key", metavar=_("KEY"), help=_("its id, or the beginning of it"))
    show.set_defaults(run=run_show)
    for command in (listing, show):
        command.add_argument("--json", action="store_true", help=_("print JSON"))
    remove = actions.add_parser(
        "remove",
        help=_("remove a key, or an unfinished exchange, from this device"),
        description=_("Remove a key from this device. To revoke it, use the portal."),
    )
    remove.add_argument("key", metavar=_("KEY"), help=_("its id, or the beginning of it"))
    remove.add_argument("--yes", action="store_true", help=_("do not ask"))
    remove.set_defaults(run=run_remove)
    _define_passphrase(actions)


def _define_passphrase(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    top = actions.add_parser("passphrase", help=_("seal the key store with a passphrase, or not"))
    choices = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"), required=True)
    setting = choices.add_parser(
        "set",
        help=_("set or change the passphrase"),
        epilog=_("example: handfast keys passphrase set --new-passphrase-fd 3 3< FILE"),
    )
    setting.add_argument(
        "--new-passphrase-fd",
        type=int,
        metavar="N",
        help=_("read the new passphrase from file descriptor N"),
    )
    setting.set_defaults(run=run_set_passphrase)
    clear = choices.add_parser("clear", help=_("go back to the keyring or a key file"))
    clear.set_defaults(run=run_clear_passphrase)


def run_list(args: argparse.Namespace, device: Device) -> int:
    """List keys and unfinished exchanges."""
    contents = device.store.read()
    if args.json:
        print_json([as_json(key) for key in contents.keys])
        return ExitCode.OK
    pending = device.pending()
    for line in list_lines(contents.keys, pending):
        say(line)
    if not contents.keys and not pending:
        tell(_("Next: handfast status (it says what to do first)"))
    return ExitCode.OK


def run_show(args: argparse.Namespace, device: Device) -> int:
    """Show one key."""
    key = _find_key(device, args.key)
    if args.json:
        print_json(as_json(key))
        return ExitCode.OK
    say(bold(f"{plain(key.account)} {plain(key.service)}"))
    say(
        *table(
            [
                (_("  words"), " ".join(key.words)),
                (_("  service"), key.issuer),
                (_("  service UID"), key.service_uid),
                (_("  key id"), key.key_id),
                (_("  this device"), key.device),
                (_("  active since"), date(key.created)),
            ]
        )
    )
    return ExitCode.OK


def run_remove(args: argparse.Namespace, device: Device) -> int:
    """Name the thing, ask, and forget it."""
    found = _find(device, args.key)
    if isinstance(found, KeyRecord):
        identifier = found.key_id
        name = _("the key of %(account)s for %(service)s (%(words)s)") % {
            "account": plain(found.account),
            "service": plain(found.service),
            "words": " ".join(found.words),
        }
    else:
        identifier = found.activation
        name = _("the unfinished exchange with %s") % found.issuer
    if not args.yes and not prompt.confirm(_("Remove %s from this device?") % name):
        raise UserError(_("nothing was changed"), "", ExitCode.REFUSED_BY_PERSON)
    device.forget(identifier)
    say(_("Removed %s.") % name)
    tell(_("The service still knows it: revoke it on the portal as well."))
    return ExitCode.OK


def run_set_passphrase(args: argparse.Namespace, device: Device) -> int:
    """Seal the store with a key made from a new passphrase."""
    # The old one is asked for first: whoever cannot open the store cannot reseal it.
    device.store.read()
    protection = device.store.set_passphrase(new_passphrase(args.new_passphrase_fd))
    say(_("The key store is %s.") % sealing.describe(protection))
    tell(_("There is no way back without it: write it down if you might forget it."))
    return ExitCode.OK


def run_clear_passphrase(_args: argparse.Namespace, device: Device) -> int:
    """Seal the store with a key from keyring or key file again."""
    protection = device.store.set_passphrase(None)
    say(_("The key store is %s.") % sealing.describe(protection))
    return ExitCode.OK


def list_lines(keys: tuple[KeyRecord, ...], pending: tuple[PendingRecord, ...]) -> list[str]:
    """Return keys and unfinished exchanges as lines."""
    rows = [
        (
            short_id(key.key_id),
            plain(key.account),
            plain(key.service),
            " ".join(key.words),
            date(key.created),
        )
        # Keys of one activation stay in the order in which the page shows them too.
        for key in sorted(keys, key=lambda key: (key.account, -key.created))
    ]
    if not rows and not pending:
        return [_("There are no keys on this device yet.")]
    lines = table([(_("KEY"), _("ACCOUNT"), _("SERVICE"), _("WORDS"), _("SINCE")), *rows])
    return (lines if rows else []) + [
        _("%(id)s  unfinished exchange with %(issuer)s, begun %(date)s")
        % {"id": short_id(record.activation), "issuer": record.issuer, "date": date(record.created)}
        for record in pending
    ]


def short_id(identifier: str) -> str:
    """Return the beginning of an id, for a command line: it never looks like an option."""
    return identifier.lstrip("-")[:8]


def as_json(key: KeyRecord) -> dict[str, object]:
    """Return what is public about a key."""
    return {
        "key_id": key.key_id,
        "issuer": key.issuer,
        "account": key.account,
        "service": key.service,
        "service_uid": key.service_uid,
        "device": key.device,
        "created": key.created,
        "words": list(key.words),
        "fingerprint": key.session_key().fingerprint.hex(),
    }


def _find_key(device: Device, beginning: str) -> KeyRecord:
    found = _find(device, beginning)
    if not isinstance(found, KeyRecord):
        raise _unknown(beginning)
    return found


def _find(device: Device, beginning: str) -> KeyRecord | PendingRecord:
    contents = device.store.read()
    found: list[KeyRecord | PendingRecord] = [
        *(key for key in contents.keys if _begins(key.key_id, beginning)),
        *(record for record in contents.pending if _begins(record.activation, beginning)),
    ]
    if len(found) != 1 or not beginning:
        raise (
            _unknown(beginning)
            if not found
            else UserError(
                _("several keys begin with %s") % beginning,
                _("give more of the id"),
                ExitCode.USAGE,
            )
        )
    return found[0]


def _begins(identifier: str, beginning: str) -> bool:
    return identifier.startswith(beginning) or identifier.lstrip("-").startswith(beginning)


def _unknown(beginning: str) -> UserError:
    return UserError(
        _("there is no key %s on this device") % plain(beginning),
        _('see "handfast keys list"'),
        ExitCode.USAGE,
    )
