"""`handfast refresh`: report in under every key, so that both sides know the same."""

import argparse
from collections.abc import Sequence

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.exchange.contact import Contact
from plugin.i18n import _
from plugin.person.output import print_json
from plugin.person.terminal import bold, plain, say, tell


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "refresh",
        help=_("report to the services: prove and replace keys, fetch settings, learn endings"),
        description=_(
            "Report to the service under every key. It proves new keys, fetches the settings of"
            " your services, replaces keys that are due, and removes keys that were revoked."
        ),
        epilog=_(
            "exit status: 0 every key was answered, 5 one was not, 6 the service has revoked one"
        ),
    )
    command.add_argument("--json", action="store_true", help=_("print JSON"))
    command.add_argument(
        "--unattended",
        action="store_true",
        help=_("for timers: never ask for the passphrase of the key store"),
    )
    command.set_defaults(run=run)


def run(args: argparse.Namespace, device: Device) -> int:
    """Report in, say how it went with each key."""
    if args.unattended:
        _refuse_to_ask(device)
    keys = device.store.read().keys
    for issuer in {key.issuer for key in keys} & {trust.issuer for trust in device.trust.all()}:
        # A notice is believed under keys that are here already, so they are to be fresh ones.
        device.trust.update_if_old(issuer)
    contacts = contact.report_in(device)
    if args.json:
        print_json([as_json(one) for one in contacts])
    else:
        show(contacts)
    return exit_code(contacts)


def _refuse_to_ask(device: Device) -> None:
    # A question out of nowhere teaches people to type their passphrase into anything.
    protection = device.store.protection()
    if protection and protection.method == "passphrase":
        raise UserError(
            _("the key store is sealed with a passphrase, and nobody is asked for it now"),
            _('run "handfast refresh" yourself now and then'),
            ExitCode.STORE,
        )


def show(contacts: Sequence[Contact]) -> None:
    """Say how it went with each key, in words."""
    if not contacts:
        say_no_keys()
    for one in contacts:
        say(f"{bold(plain(one.key.account))} {plain(one.key.service)}: {in_words(one)}")
        say(*problem_lines(one))


def say_no_keys() -> None:
    """Say that there are none, and what to do about it."""
    say(_("There are no keys on this device yet."))
    tell(_("Next: handfast status (it says what to do first)"))


def problem_lines(one: Contact) -> list[str]:
    """Return what went wrong with one key, and what to do about it."""
    if one.problem is None:
        return []
    return ["  " + plain(one.problem.message), "  " + _("hint:") + " " + one.problem.hint]


def in_words(one: Contact) -> str:
    """Return one sentence about one key."""
    if one.ended == "revoked":
        return _("the key was revoked and is removed; activate again if that was not meant")
    if one.ended == "remove":
        return _(
            "whoever looks after your account had everything of it removed from this device: it "
            "cannot be used for it any more; your history at %s says who and why"
        ) % plain(one.key.issuer)
    if one.ended == "retired":
        return _("the key was replaced by a newer one and is removed")
    if one.replaced:
        return _("the key was replaced; the new one is %s") % " ".join(one.key.words)
    if not one.answered:
        return _("not finished")
    if one.key.waiting:
        return _("the service waits until you confirm this device on its page")
    return _("the key works")


def as_json(one: Contact) -> dict[str, object]:
    """Return what is public about how it went."""
    problem = one.problem
    return {
        "key_id": one.key.key_id,
        "issuer": one.key.issuer,
        "account": one.key.account,
        "service": one.key.service,
        "outcome": one.outcome,
        "replaced": one.replaced,
        "waiting": one.key.waiting,
        "book": one.key.book is not None,
        "proven": one.key.proven,
        "problem": problem and {"message": problem.message, "hint": problem.hint},
    }


def exit_code(contacts: Sequence[Contact]) -> ExitCode:
    """Return the exit status: what a person must know first."""
    if any(one.ended in ("revoked", "remove") for one in contacts):
        return ExitCode.REFUSED_BY_SERVICE
    if any(one.problem for one in contacts):
        return ExitCode.UNFINISHED
    return ExitCode.OK
