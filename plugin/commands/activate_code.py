"""`handfast activate --code`: keys by a code that somebody reads out, typed on this device."""

import argparse
from collections.abc import Sequence

from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact, typed_code
from plugin.i18n import _
from plugin.keystore.records import KeyRecord
from plugin.person import prompt
from plugin.person.output import print_json
from plugin.person.passphrase import read_line
from plugin.person.terminal import bold, notice, plain, say, tell
from plugin.person.wording import ConsentRequest
from plugin.portal import calls
from plugin.portal.calls import Portal
from plugin.trust import policy
from protocol.codes import Code, MistypedError, read_code

# Mistyped codes are not sent, so they cost nothing.
MOST_TYPED = 3


def run(args: argparse.Namespace, device: Device) -> int:
    """Finish the code of an earlier start, or ask for one and activate with it."""
    _refuse_arguments(args)
    chosen = calls.choose(args.portal, device)

    def consent(request: ConsentRequest) -> bool:
        if args.yes:
            for account, services in request.accounts:
                notice(plain(f"{account}: {', '.join(services)}"))
            return True
        notice(_("the service took the code"))
        return prompt.ask_consent(
            request,
            allowed_unasked=lambda issuer: (
                issuer in policy.read(device.paths).allow_without_consent
            ),
        )

    keys = typed_code.finish_begun(trust=chosen.trust, device=device, consent=consent)
    if keys is not None:
        tell(_("A code that was typed earlier is finished now; no other was asked for."))
    else:
        code = _code(args, chosen)
        notice(_("agreeing on keys with %s") % chosen.issuer)
        keys = typed_code.activate(code, trust=chosen.trust, device=device, consent=consent)
    contact.after_activation(device, keys)
    device.trust.update_if_old(chosen.issuer)
    _show(chosen, keys, as_json=args.json)
    return ExitCode.OK


def _refuse_arguments(args: argparse.Namespace) -> None:
    if args.account or args.service or args.waiting is not None:
        raise UserError(
            _("a code says by itself for which accounts and services it is"),
            _("give --code without --account, --service and --waiting"),
            ExitCode.USAGE,
        )
    if args.portal is not None and not args.portal.startswith("https://"):
        # What stands in a command is in its history, and other people on this computer see it.
        raise UserError(
            _("the code does not belong into the command"),
            _('run "handfast activate --code" and type it when you are asked'),
            ExitCode.USAGE,
        )


def _code(args: argparse.Namespace, chosen: Portal) -> Code:
    """Return the code that was typed, asking again where a slip can be seen from here."""
    if args.code_fd is not None:
        return _read(read_line(args.code_fd))
    tell(_("Activate this device with a code from %s:") % chosen.issuer)
    tell(_("  Fingerprint:  %s") % chosen.trust.bundle.fingerprint)
    for _try in range(MOST_TYPED - 1):
        try:
            return _read(_ask())
        except UserError as error:
            if error.exit_code is not ExitCode.USAGE:
                raise
            tell(f"{error.message}; {error.hint}")
    return _read(_ask())


def _ask() -> str:
    typed = prompt.ask_line(_("Code: "))
    if typed is None:
        raise UserError(
            _("there is no terminal to type the code on"),
            _("run the command on a terminal, or give --code-fd"),
            ExitCode.NO_WAY_TO_ASK,
        )
    return typed


def _read(typed: str) -> Code:
    try:
        return read_code(typed)
    except MistypedError as error:
        raise _mistyped(error) from error


def _mistyped(error: MistypedError) -> UserError:
    hint = _("nothing was sent; compare it and type it again")
    if error.why == "symbol" and error.group is not None:
        message = _("something in group %d of the code is in no code") % error.group
        hint = _("a code has the digits and the letters without I, L, O and U; nothing was sent")
    elif error.why == "check":
        message = _("one of the symbols is not right, or two of them changed places")
    else:
        message = _("a code has twelve symbols, three groups of four")
    return UserError(message, hint, ExitCode.USAGE, code="mistyped-code")


def _show(chosen: Portal, keys: Sequence[KeyRecord], *, as_json: bool) -> None:
    name = chosen.device.description().name
    if as_json:
        told = [
            {
                "key_id": key.key_id,
                "account": key.account,
                "service": key.service,
                "service_uid": key.service_uid,
                "words": list(key.words),
            }
            for key in keys
        ]
        print_json({"portal": chosen.issuer, "device": name, "keys": told})
        return
    say(bold(_("%s is active:") % plain(name)))
    for key in keys:
        say(f"  {plain(key.account)} {plain(key.service)}: {' '.join(key.words)}")
    say(_("The portal shows the same words, on the page of this device."))
