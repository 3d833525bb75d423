"""`handfast activate`: keys for one or several mail accounts, without any browser."""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from plugin import handler
from plugin.commands import activate_code, activate_waiting
from plugin.commands.activate_report import Report, show
from plugin.commands.document_consent import activate_document, consent_to
from plugin.commands.open_document import progress
from plugin.device import Device
from plugin.errors import UserError
from plugin.exchange import contact
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.person.terminal import notice, plain, tell
from plugin.portal import calls, credentials, sign_in
from plugin.portal.calls import Portal, RefusedByPortalError, SignedOutError
from plugin.portal.messages import Account, AccountOutcome, Activate, Issued
from protocol.encoding import b64u

TICKET_BYTES = 16
SERVICES = ("mail", "contacts", "calendar")


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "activate",
        help=_("activate this device for your mail accounts, without a browser"),
        description=_(
            "Give the passwords of your mail accounts to the portal that this device trusts:\n"
            "it checks them with the mail servers, and this device agrees on keys for all of them."
        ),
        epilog=_(
            "examples: handfast activate\n"
            "          handfast activate --account ann@example.org --password-fd 3 3< FILE\n"
            "          handfast activate --waiting\n"
            "          handfast activate --code"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("portal", nargs="?", metavar=_("URL"), help=sign_in.WHICH_PORTAL)
    credentials.add_arguments(command)
    command.add_argument(
        "--service",
        action="append",
        choices=SERVICES,
        default=[],
        metavar=_("NAME"),
        help=_("only this service (mail, contacts, calendar); may be given several times"),
    )
    _add_other_ways(command)
    command.add_argument("--yes", action="store_true", help=_("do not ask"))
    command.add_argument("--json", action="store_true", help=_("print the result as JSON"))
    command.set_defaults(run=run)


def _add_other_ways(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--waiting",
        nargs="?",
        const="",
        metavar=_("ID"),
        help=_("finish an activation that waits for a device; without an id, choose one"),
    )
    command.add_argument(
        "--code",
        action="store_true",
        help=_("type a code that somebody reads out to you, or that the portal shows you"),
    )
    command.add_argument(
        "--code-fd",
        type=int,
        metavar="N",
        help=_("with --code: read the code, one line, from file descriptor N"),
    )


def run(args: argparse.Namespace, device: Device) -> int:
    """Finish what was cut, then activate everything that was asked for in one call."""
    if args.waiting is not None and args.waiting.startswith("https://"):
        args.portal, args.waiting = args.waiting, ""
    if args.code or args.code_fd is not None:
        return activate_code.run(args, device)
    chosen = calls.choose(args.portal, device)
    if args.waiting is not None:
        return activate_waiting.run(args, sign_in.Session(chosen, args))
    given = credentials.addresses(args)
    earlier = _finished_earlier(chosen, given, args.service)
    if earlier:
        tell(_("An activation that was cut is finished now; nothing else was done."))
        return show(Report(chosen, given, (), earlier), as_json=args.json)
    accounts = credentials.accounts(args, given, args.service)
    _announce(chosen, given, args.service)
    issued = _ask_portal(chosen, accounts)
    if isinstance(issued, tuple):
        return show(Report(chosen, given, issued, ()), as_json=args.json)
    sign_in.keep_token(device, chosen.issuer, issued.token)
    for outcome in issued.accounts:
        word = _("%s: accepted") if outcome.accepted else _("%s: refused")
        notice(word % plain(outcome.address))
    return show(_with_document(chosen, issued, given, args.service), as_json=args.json)


def _ask_portal(
    chosen: Portal, accounts: tuple[Account, ...]
) -> Issued | tuple[AccountOutcome, ...]:
    """Return the document, or how each account ended when none of them was accepted.

    Whoever is signed in on this device gets the accounts: one retried later joins the others.
    """
    ticket = b64u(chosen.device.entropy(TICKET_BYTES))
    sent = Activate(accounts, chosen.this_device(), ticket)
    token = sign_in.token_of(chosen.device, chosen.issuer)
    try:
        return chosen.call("POST", "/activations", sent, answer=Issued, token=token)
    except SignedOutError as error:
        if token is None:
            raise sign_in.refused() from error
        sign_in.keep_token(chosen.device, chosen.issuer, None)
        return _ask_portal(chosen, accounts)
    except RefusedByPortalError as error:
        if not error.refusal.accounts:
            raise
        return error.refusal.accounts


def _with_document(
    chosen: Portal, issued: Issued, given: Sequence[str], services: Sequence[str]
) -> Report:
    report = Report(chosen, given, issued.accounts, ())
    if issued.document is None:
        return report
    try:
        consent = consent_to(
            lambda account, service: _is_asked(account, service, given, services),
            _("the document names something you did not ask for: %s"),
        )
        activated = activate_document(chosen, issued.document, consent)
    except UserError:
        # What the portal said about each account would be lost with the error.
        show(report, as_json=False, on_stderr=True)
        raise
    return replace(report, keys=activated.keys)


def _is_asked(account: str, service: str, given: Sequence[str], services: Sequence[str]) -> bool:
    return any(credentials.same_address(account, one) for one in given) and (
        not services or service in services
    )


def _finished_earlier(
    chosen: Portal, given: Sequence[str], services: Sequence[str]
) -> tuple[KeyRecord, ...]:
    """Return the keys of an exchange that was cut, if they are all that is asked for now."""
    resumed = handler.resume(chosen.device, progress)
    if resumed:
        contact.after_activation(chosen.device, resumed)
    if not services:
        # All that an account has is asked for: only the portal knows whether more is to come.
        return ()
    keys = tuple(
        key
        for key in resumed
        if key.issuer == chosen.issuer
        and any(credentials.same_address(key.account, address) for address in given)
    )
    for address in given:
        names = {key.service for key in keys if credentials.same_address(key.account, address)}
        if not names.issuperset(services):
            return ()
    return keys


def _announce(chosen: Portal, given: Sequence[str], services: Sequence[str]) -> None:
    tell(_("%s activates this device:") % chosen.issuer)
    tell(_("  Fingerprint:  %s") % chosen.trust.bundle.fingerprint)
    tell(_("  This device:  %s") % plain(chosen.device.description().name))
    names = ", ".join(plain(name) for name in services) or _("all services")
    for address in given:
        tell(
            _("  Account:      %(account)s (%(services)s)")
            % {"account": plain(address), "services": names}
        )
    notice(_("the portal asks the mail servers; this may take a minute"))
