"""`handfast trust`: whose documents this device accepts."""

import argparse
from pathlib import Path

from plugin import registration
from plugin.commands.status import next_step
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.i18n import _, ngettext
from plugin.person import prompt
from plugin.person.output import add_json_option, print_json
from plugin.person.terminal import bold, date, say, tell
from plugin.trust.issuers import Trust, read_bundle, read_small
from protocol.errors import VerificationError
from protocol.trust import TrustBundle, is_issuer


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "trust",
        help=_("say whose activation documents this device accepts"),
        epilog=_("example: handfast trust add https://portal.example.org"),
    )
    top.set_defaults(run=run_list)
    add_json_option(top)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    _define_add(actions)
    listing = actions.add_parser("list", help=_("show whom this device trusts"))
    add_json_option(listing, again=True)
    listing.set_defaults(run=run_list)
    update = actions.add_parser("update", help=_("fetch the newest keys of the services"))
    update.add_argument("issuer", nargs="?", metavar=_("URL"), help=_("only of this one"))
    update.set_defaults(run=run_update, json=False)
    remove = actions.add_parser("remove", help=_("stop trusting a service"))
    remove.add_argument("issuer", metavar=_("URL"))
    remove.add_argument("--yes", action="store_true", help=_("do not ask"))
    remove.set_defaults(run=run_remove, json=False)


def _define_add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    add = actions.add_parser(
        "add",
        help=_("trust a service"),
        description=_("Trust a service: from its address, or from a bundle file you were given."),
        epilog=_(
            "examples: handfast trust add https://portal.example.org\n"
            "          handfast trust add bundle.json --fingerprint '0ABC …'"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add.add_argument("source", metavar=_("URL|FILE"))
    add.add_argument(
        "--ca-file", type=Path, help=_("the authority (PEM) that vouches for the portal's TLS")
    )
    add.add_argument(
        "--key-set", type=Path, help=_("take the key set from a file, without any network")
    )
    add.add_argument(
        "--fingerprint", help=_("the fingerprint you were given another way; then nothing is asked")
    )
    add.add_argument("--yes", action="store_true", help=_("do not ask: trust on first use"))
    add.set_defaults(run=run_add, json=False)


def run_add(args: argparse.Namespace, device: Device) -> int:
    """Show issuer and fingerprint, ask, and keep the trust with a fresh identity key."""
    ca_file = args.ca_file.absolute() if args.ca_file else None
    bundle = _bundle(args.source, device, ca_file)
    _check_fingerprint(bundle, args)
    if _is_trusted(bundle, device):
        say(_("This device trusts %s already.") % bold(bundle.issuer))
        return ExitCode.OK
    _accept(bundle, args)
    if args.key_set:
        key_set = read_small(args.key_set)
    else:
        key_set = device.trust.fetch_key_set(bundle, ca_file=ca_file)
    device.trust.add(bundle, key_set, ca_file=ca_file)
    device.identity(bundle.issuer)
    say(_("This device trusts %s now.") % bold(bundle.issuer))
    _refresh_extension(device)
    tell(_("Next: %s") % next_step(device, device.pending()))
    return ExitCode.OK


def run_list(args: argparse.Namespace, device: Device) -> int:
    """Show every trusted issuer."""
    now = device.clock()
    trusts = device.trust.all()
    if args.json:
        print_json([_as_json(trust, now) for trust in trusts])
        return ExitCode.OK
    if not trusts:
        say(_("This device trusts no service yet."))
        tell(_("Next: handfast trust add https://… (the address of your service)"))
    for trust in trusts:
        say(bold(trust.issuer), _("  fingerprint  %s") % trust.bundle.fingerprint)
        by = _("by the administrator, since %s") if trust.system else _("by you, since %s")
        say(_("  trusted      %s") % (by % date(trust.added)))
        say(_("  keys         %s") % _key_set_state(trust, now))
    return ExitCode.OK


def run_update(args: argparse.Namespace, device: Device) -> int:
    """Fetch key sets; all of them are tried before an error is raised."""
    trusts = [device.trust.get(args.issuer)] if args.issuer else device.trust.all()
    failed: UserError | None = None
    for trust in trusts:
        try:
            key_set = device.trust.update(trust.issuer)
        except UserError as error:
            failed = error
        else:
            version, until = key_set.version, date(key_set.exp)
            say(
                _("%(issuer)s: version %(version)d, valid until %(until)s")
                % {"issuer": trust.issuer, "version": version, "until": until}
            )
    if failed:
        raise failed
    return ExitCode.OK


def run_remove(args: argparse.Namespace, device: Device) -> int:
    """Say what goes and what stays, ask, and forget the trust."""
    trust = device.trust.get(args.issuer)
    contents = device.store.read()
    keys = sum(key.issuer == trust.issuer for key in contents.keys)
    unfinished = sum(record.issuer == trust.issuer for record in contents.pending)
    tell(_("This removes the trust in %s and this device's identity key for it.") % trust.issuer)
    if unfinished:
        tell(
            ngettext("%d unfinished exchange ends.", "%d unfinished exchanges end.", unfinished)
            % unfinished
        )
    if keys:
        tell(ngettext("%d key stays on this device.", "%d keys stay on this device.", keys) % keys)
    prompt.confirm_or_refuse(args.yes, _("Remove %s?") % trust.issuer)
    # In this order: a cut in between leaves a trust that can be removed again.
    device.forget_issuer(trust.issuer)
    device.trust.remove(trust.issuer)
    say(_("Removed %s.") % trust.issuer)
    _refresh_extension(device)
    return ExitCode.OK


def _bundle(source: str, device: Device, ca_file: Path | None) -> TrustBundle:
    if is_issuer(source.rstrip("/")):
        return device.trust.fetch_bundle(source, ca_file=ca_file)
    if "://" in source:
        raise UserError(
            _("%s is not the address of a portal") % source,
            _("give it as https://host or https://host:port, or give a file"),
            ExitCode.USAGE,
        )
    if not Path(source).exists():
        raise UserError(
            _("there is no file %s") % source,
            _("give the address of a service as https://…, or the name of a bundle file"),
            ExitCode.USAGE,
        )
    return read_bundle(read_small(Path(source)))


def _check_fingerprint(bundle: TrustBundle, args: argparse.Namespace) -> None:
    given = args.fingerprint
    if given is not None and _symbols(given) != _symbols(bundle.fingerprint):
        raise UserError(
            _("the fingerprint of %s is another one") % bundle.issuer,
            _("do not go on: somebody may stand between you and the service"),
            ExitCode.UNTRUSTED,
        )


def _is_trusted(bundle: TrustBundle, device: Device) -> bool:
    """Tell whether exactly this service is trusted: with the same fingerprint."""
    return any(
        (trust.issuer, trust.bundle.fingerprint) == (bundle.issuer, bundle.fingerprint)
        for trust in device.trust.all()
    )


def _accept(bundle: TrustBundle, args: argparse.Namespace) -> None:
    tell(_("Service:      %s") % bundle.issuer)
    tell(_("Fingerprint:  %s") % bundle.fingerprint)
    if args.fingerprint is not None:
        return
    tell(
        _(
            "This is trust on first use: whoever answers now is believed from now on.\n"
            "Compare the fingerprint with one that you got another way, if you can."
        )
    )
    prompt.confirm_or_refuse(args.yes, _("Trust %s?") % bundle.issuer)


def _refresh_extension(device: Device) -> None:
    # The extension acts on trusted portals only, so it has to learn about every change.
    if registration.refresh(device):
        tell(_("Start the browser again, so that its extension knows."))


def _symbols(fingerprint: str) -> str:
    return "".join(fingerprint.split()).replace("-", "").replace(":", "").casefold()


def _key_set_state(trust: Trust, now: int) -> str:
    try:
        key_set = trust.key_set(now)
    except VerificationError:
        return _('none that is valid: run "handfast trust update"')
    return _("version %(version)d, valid until %(until)s") % {
        "version": key_set.version,
        "until": date(key_set.exp),
    }


def _as_json(trust: Trust, now: int) -> dict[str, object]:
    try:
        valid_until: int | None = trust.key_set(now).exp
    except VerificationError:
        valid_until = None
    return {
        "issuer": trust.issuer,
        "fingerprint": trust.bundle.fingerprint,
        "added": trust.added,
        "system": trust.system,
        "key_set_version": trust.key_set_version,
        "valid_until": valid_until,
    }
