"""`handfast open FILE`: the front door for a document that came as a file."""

import argparse
from pathlib import Path

from plugin import document_file, handler, policy, prompt
from plugin.device import Device
from plugin.handler import Activated, ConsentRequest
from plugin.i18n import _
from plugin.output import print_json
from plugin.terminal import plain, say, tell

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
    command.add_argument("--keep", action="store_true", help=_("leave the file where it is"))
    command.add_argument("--json", action="store_true", help=_("print the result as JSON"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace, device: Device) -> int:
    """Activate with the document in the file; delete the file once it was genuine."""
    found = document_file.read(args.file)
    handler.resume(device, progress)

    def consent(request: ConsentRequest) -> bool:
        # Reached only with a genuine document: from here on the file is ours to clean up.
        if not args.keep and not found.unlink():
            tell(_("the file was changed meanwhile and stays where it is"))
        allowed = policy.read(device.paths).allow_without_consent
        return prompt.ask_consent(request, allowed_unasked=lambda issuer: issuer in allowed)

    activated = handler.activate(
        found.untrusted_document, device=device, origin=None, consent=consent, progress=progress
    )
    show(activated, as_json=args.json)
    return 0


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
    say(_("%s is active:") % plain(activated.device_name))
    for key in activated.keys:
        say(f"  {plain(key.account)} {plain(key.service)}: {' '.join(key.words)}")
    say(_("The page in the browser shows the same words."))
