"""`handfast open FILE`: the front door for a document that came as a file."""

import argparse
from pathlib import Path

from plugin import handler
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.files import document_file
from plugin.files.document_file import DocumentFile
from plugin.handler import Activated, ConsentRequest
from plugin.i18n import _
from plugin.person import prompt
from plugin.person.output import print_json
from plugin.person.terminal import plain, say, tell
from plugin.trust import policy
from protocol.errors import Reason, VerificationError

# Reasons that only a genuine document can have, and that never go away.
SPENT = frozenset({Reason.EXPIRED, Reason.ALREADY_USED})

STAGES = {
    "verified": _("the document is genuine"),
    "taken": _("agreeing on keys"),
    "agreed": _("keys agreed, storing"),
    "active": _("active"),
    "unfinished": _("an earlier exchange is still unfinished"),
}


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "open",
        help=_("open an activation document and activate this device"),
        description=_("Open an activation document: check it, ask you, and agree on keys."),
        epilog=_("example: handfast open -- ~/Downloads/activation.handfast"),
    )
    command.add_argument("file", type=Path, metavar=_("FILE"))
    command.add_argument(
        "--keep",
        action="store_true",
        help=_("leave the file where it is; it is removed otherwise once you have answered"),
    )
    command.add_argument("--json", action="store_true", help=_("print the result as JSON"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace, device: Device) -> int:
    """Activate with the document in the file, then finish what an earlier start left."""
    started = device.clock()
    try:
        activated = _activate(document_file.read(args.file), device, keep=args.keep)
    except UserError as error:
        # Started by a click on the file, nobody reads our standard error.
        prompt.show(f"{error.message}\n{error.hint}")
        raise
    show(activated, as_json=args.json)
    contact.after_activation(device, activated.keys)
    prompt.show("\n".join(_lines(activated)))
    # Only now: a document that nobody allowed may not make the device use the network.
    handler.resume(device, progress, before=started)
    return ExitCode.OK


def _activate(found: DocumentFile, device: Device, *, keep: bool) -> Activated:
    def consent(request: ConsentRequest) -> bool:
        answer = prompt.ask_consent(
            request,
            allowed_unasked=lambda issuer: (
                issuer in policy.read(device.paths).allow_without_consent
            ),
        )
        clean_up()
        return answer

    def clean_up() -> None:
        # Reached only with a genuine document that is of no more use as a file.
        if not keep and not found.unlink():
            tell(_("the file was changed meanwhile and stays where it is"))

    try:
        return handler.activate(
            found.untrusted_document, device=device, origin=None, consent=consent, progress=progress
        )
    except UserError as error:
        if isinstance(error.__cause__, VerificationError) and error.__cause__.reason in SPENT:
            clean_up()
        raise


def progress(stage: str) -> None:
    """Say on stderr how far it is."""
    tell("… " + STAGES.get(stage, stage))


def show(activated: Activated, *, as_json: bool) -> None:
    """Say what is active now."""
    if as_json:
        keys = [
            {
                "key_id": key.key_id,
                "account": key.account,
                "service": key.service,
                "words": key.words,
            }
            for key in activated.keys
        ]
        print_json({"device": activated.device_name, "keys": keys})
        return
    say(*_lines(activated))


def _lines(activated: Activated) -> list[str]:
    keys = [
        f"  {plain(key.account)} {plain(key.service)}: {' '.join(key.words)}"
        for key in activated.keys
    ]
    first = _("%s is active:") % plain(activated.device_name)
    return [first, *keys, _("The page in the browser shows the same words.")]
