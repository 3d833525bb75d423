"""The command `handfast`: what can be asked, and the one place where errors become text."""

import argparse
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import NoReturn

from plugin import agent, registration
from plugin.commands import (
    access,
    activate,
    completion,
    devices,
    keys,
    open_document,
    refresh,
    services,
    sessions,
    status,
    trust,
)
from plugin.device import HANDLER, Device
from plugin.errors import MEANINGS, ExitCode, UserError
from plugin.i18n import _
from plugin.paths import Paths
from plugin.person.argument_parser import Parser
from plugin.person.output import print_json
from plugin.person.passphrase import passphrase_from
from plugin.person.terminal import bold, tell

INTERRUPTED = 130

FIRST_STEPS = _(
    """first steps:
  handfast trust add https://portal.example.org
  handfast activate
  or, to do it in your browser: handfast register, then sign in at that address there

"""
)
EXIT_CODES = "\n".join(
    [_("exit status:"), *(f"  {code.value}  {meaning}" for code, meaning in MEANINGS.items())]
)


def main(argv: list[str]) -> int:
    """Run one command and return its exit status; never a traceback for a person's problem."""
    try:
        args = parser().parse_args(argv)
        device = Device.open(Paths.from_environment(), passphrase=passphrase_from(args))
        run: Callable[[argparse.Namespace, Device], int] = args.run
        return run(args, device)
    except UserError as error:
        report(error, as_json="--json" in argv)
        return error.exit_code
    except KeyboardInterrupt:
        tell("\n" + _("handfast: interrupted; the same command goes on where it can"))
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell.
        sys.stderr.close()
        return ExitCode.UNEXPECTED
    except OSError as error:
        report(_from_system(error), as_json="--json" in argv)
        return ExitCode.UNEXPECTED


def report(error: UserError, *, as_json: bool = False) -> None:
    """Say what went wrong and what to do next: people on stderr, programs on stdout."""
    if as_json:
        about = {"code": error.code, "message": error.message, "hint": error.hint}
        print_json({"error": {**about, "exit": int(error.exit_code)}})
        return
    tell(bold("handfast: error:", sys.stderr) + " " + error.message)
    if error.hint:
        tell("handfast: hint: " + error.hint)


def _from_system(error: OSError) -> UserError:
    where = f" ({error.filename})" if error.filename else ""
    return UserError(
        _("the system refused: %s") % ((error.strerror or str(error)).lower() + where),
        _("look at the rights of that file or folder and at the space on the disk"),
    )


def console() -> NoReturn:
    """The entry point of the installed command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that lacks a letter shows a question mark instead of a traceback.
            stream.reconfigure(errors="replace")
    if "_ARGCOMPLETE" in os.environ:
        completion.complete(parser())
    sys.exit(main(sys.argv[1:]))


def parser() -> argparse.ArgumentParser:
    """Return the whole command line."""
    top: argparse.ArgumentParser = Parser(
        prog="handfast",
        description=_(
            "Strong keys between this device and a service, by way of your mail account."
        ),
        epilog=FIRST_STEPS + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        help=_("read the passphrase of the key store from file descriptor N"),
    )
    top.add_argument("--version", action="version", version=HANDLER)
    top.set_defaults(run=status.run, json=False)
    commands = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    status.add_arguments(commands)
    activate.add_arguments(commands)
    open_document.add_arguments(commands)
    trust.add_arguments(commands)
    keys.add_arguments(commands)
    refresh.add_arguments(commands)
    services.add_arguments(commands)
    devices.add_arguments(commands)
    sessions.add_arguments(commands)
    registration.add_arguments(commands)
    agent.add_arguments(commands)
    access.add_arguments(commands)
    completion.add_arguments(commands)
    return top


if __name__ == "__main__":
    console()
