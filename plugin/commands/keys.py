"""`handfast keys`: the keys on this device, and what protects them."""

import argparse
from collections.abc import Iterable

from plugin.commands import refresh
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact, rotation
from plugin.i18n import _
from plugin.keystore import sealing
from plugin.keystore.records import KeyRecord, PendingRecord
from plugin.person import prompt
from plugin.person.output import add_json_option, print_json
from plugin.person.passphrase import new_passphrase
from plugin.person.short_id import begins, short_id
from plugin.person.terminal import ago, bold, date, listing, plain, say, table, tell


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "keys",
        help=_("show, replace, revoke and protect the keys on this device"),
        epilog=_("example: handfast keys list"),
    )
    top.set_defaults(run=run_list)
    add_json_option(top)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    listing = actions.add_parser("list", help=_("list the keys; never the secrets themselves"))
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help=_("show everything public about one key"))
    show.add_argument("key", metavar=_("KEY"), help=_("its id, or the beginning of it"))
    show.set_defaults(run=run_show)
    for command in (listing, show):
        add_json_option(command, again=True)
    remove = actions.add_parser(
        "remove",
        help=_("remove a key, or an unfinished exchange, from this device"),
        description=_(
            'Remove a key from this device only. To end it on the service too: "keys revoke".'
        ),
    )
    remove.add_argument("key", metavar=_("KEY"), help=_("its id, or the beginning of it"))
    remove.add_argument("--yes", action="store_true", help=_("do not ask"))
    remove.set_defaults(run=run_remove, json=False)
    _define_rotate(actions)
    _define_revoke(actions)
    _define_passphrase(actions)


def _define_rotate(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rotate = actions.add_parser(
        "rotate",
        help=_("replace keys by new ones"),
        description=_(
            "Replace keys by new ones. The old key works until both sides have used the new one."
        ),
        epilog=_("example: handfast keys rotate --all"),
    )
    which = rotate.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "keys", nargs="*", default=[], metavar=_("KEY"), help=_("ids, or the beginnings of them")
    )
    which.add_argument("--all", action="store_true", help=_("every key"))
    add_json_option(rotate, again=True)
    rotate.set_defaults(run=run_rotate)


def _define_revoke(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    revoke = actions.add_parser(
        "revoke",
        help=_("end a key on the service and remove it here"),
        description=_("End a key on the service, then remove it from this device."),
    )
    revoke.add_argument("key", metavar=_("KEY"), help=_("its id, or the beginning of it"))
    revoke.add_argument("--yes", action="store_true", help=_("do not ask"))
    add_json_option(revoke, again=True)
    revoke.set_defaults(run=run_revoke)


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
    setting.set_defaults(run=run_set_passphrase, json=False)
    clear = choices.add_parser("clear", help=_("go back to the keyring or a key file"))
    clear.set_defaults(run=run_clear_passphrase, json=False)


def run_list(args: argparse.Namespace, device: Device) -> int:
    """List keys and unfinished exchanges."""
    contents = device.store.read()
    if args.json:
        print_json([as_json(key) for key in contents.keys])
        return ExitCode.OK
    pending = device.pending()
    if not contents.keys and not pending:
        refresh.say_no_keys()
    say(*list_lines(contents.keys, pending, now=device.clock()))
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
                (_("  state"), state_words(key)),
                (_("  last answer"), date(key.reported) if key.reported else _("never")),
            ]
        )
    )
    return ExitCode.OK


def run_remove(args: argparse.Namespace, device: Device) -> int:
    """Name the thing, ask, and forget it."""
    found = _find(device, args.key)
    if isinstance(found, KeyRecord):
        identifier, name = found.key_id, _name(found)
    else:
        identifier = found.activation
        name = _("the unfinished exchange with %s") % found.issuer
    prompt.confirm_or_refuse(args.yes, _("Remove %s from this device?") % name)
    device.forget(identifier)
    say(_("Removed %s.") % name)
    tell(_("The service still knows it: revoke it on the portal as well."))
    return ExitCode.OK


def run_rotate(args: argparse.Namespace, device: Device) -> int:
    """Ask the service for new keys, and put them into the place of the old ones."""
    if args.all:
        wanted = {key.key_id for key in device.store.read().keys}
    else:
        wanted = {_find_key(device, beginning).key_id for beginning in args.keys}
    contacts = contact.report_in(device, only=wanted, rotate=wanted)
    if args.json:
        print_json([refresh.as_json(one) for one in contacts])
    else:
        refresh.show(contacts)
    unchanged = [one.key for one in contacts if one.outcome == "answered" and not one.problem]
    new, others = _by_age(unchanged, now=device.clock())
    for key, age in new:
        tell(
            _("New enough, %(age)s old: %(key)s. Ask again when it is an hour old.")
            % {"key": _name(key), "age": ago(age)}
        )
    if others:
        tell(_('The service offers no new key now; "handfast refresh" asks again later.'))
    # That a key was revoked is to be known first.
    return refresh.exit_code(contacts) or (ExitCode.UNFINISHED if others else ExitCode.OK)


def _by_age(
    keys: Iterable[KeyRecord], *, now: int
) -> tuple[list[tuple[KeyRecord, int]], list[KeyRecord]]:
    """Part the keys that are new enough, each with its age, from those to be replaced some day."""
    new, others = [], []
    for key in keys:
        age = now - key.created
        # A key that waits for its owner's word is not replaced, however old it is.
        if age < rotation.WISH_PAUSE and not key.waiting:
            new.append((key, age))
        else:
            others.append(key)
    return new, others


def run_revoke(args: argparse.Namespace, device: Device) -> int:
    """Name the thing, warn, ask; end it on the service first, so that it ends on both sides."""
    key = _find_key(device, args.key)
    tell(_("What uses this key stops working, and it never comes back: you would activate again."))
    prompt.confirm_or_refuse(args.yes, _("Revoke %s?") % _name(key))
    _end(key, device)
    if args.json:
        print_json({"key_id": key.key_id, "outcome": "revoked"})
    else:
        say(_("Revoked %s.") % _name(key))
    return ExitCode.OK


def _end(key: KeyRecord, device: Device) -> None:
    try:
        contact.end(key, device)
    except UserError as error:
        if error.exit_code is not ExitCode.UNFINISHED:
            raise
        # Nothing tries this again by itself: whoever revokes a key must know that it still works.
        raise UserError(
            _("the key was not revoked and still works: %s") % error.message,
            _("run the same command again, or revoke the key on the portal"),
            ExitCode.UNFINISHED,
        ) from error


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


def list_lines(
    keys: tuple[KeyRecord, ...], pending: tuple[PendingRecord, ...], *, now: int
) -> list[str]:
    """Return keys and unfinished exchanges as lines."""
    rows = [
        (
            short_id(key.key_id),
            plain(key.account),
            plain(key.service),
            " ".join(key.words),
            ago(now - key.created),
            state_words(key),
        )
        # Keys of one activation stay in the order in which the page shows them too.
        for key in sorted(keys, key=lambda key: (key.account, -key.created))
    ]
    head = (_("KEY"), _("ACCOUNT"), _("SERVICE"), _("WORDS"), _("AGE"), _("STATE"))
    lines = listing(head, rows)
    return (lines if rows else []) + [
        _("%(id)s  unfinished exchange with %(issuer)s, begun %(date)s")
        % {"id": short_id(record.activation), "issuer": record.issuer, "date": date(record.created)}
        for record in pending
    ]


def state_words(key: KeyRecord) -> str:
    """Return how far a key is, in a few words."""
    if key.proven is None:
        return _("not proven yet")
    return _("waits for you to confirm the device") if key.waiting else _("proven")


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
        "proven": key.proven,
        "reported": key.reported,
        "waiting": key.waiting,
        "words": list(key.words),
        "fingerprint": key.session_key().fingerprint.hex(),
    }


def _name(key: KeyRecord) -> str:
    return _("the key of %(account)s for %(service)s (%(words)s)") % {
        "account": plain(key.account),
        "service": plain(key.service),
        "words": " ".join(key.words),
    }


def _find_key(device: Device, beginning: str) -> KeyRecord:
    found = _find(device, beginning)
    if not isinstance(found, KeyRecord):
        raise _unknown(beginning)
    return found


def _find(device: Device, beginning: str) -> KeyRecord | PendingRecord:
    contents = device.store.read()
    found: list[KeyRecord | PendingRecord] = [
        *(key for key in contents.keys if begins(key.key_id, beginning)),
        *(record for record in contents.pending if begins(record.activation, beginning)),
    ]
    if len(found) != 1:
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


def _unknown(beginning: str) -> UserError:
    return UserError(
        _("there is no key %s on this device") % plain(beginning),
        _('see "handfast keys list"'),
        ExitCode.USAGE,
    )
