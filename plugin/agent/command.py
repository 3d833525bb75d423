"""`handfast agent`: the device API, as long as it runs."""

import argparse
import signal
import sys
import time
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from plugin.agent import server, unit
from plugin.agent.answering import Agent
from plugin.agent.place import listening, socket_path
from plugin.agent.questions import Questions
from plugin.device import Device
from plugin.errors import ExitCode
from plugin.i18n import _
from plugin.keystore.store import Store
from plugin.person import prompt
from plugin.person.passphrase import passphrase_from
from plugin.person.terminal import say, tell


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the commands."""
    top = commands.add_parser(
        "agent",
        help=_("give programs on this device keys of their own, if you allow it"),
        description=_(
            "Answer programs on this device that ask for a key, until you end it. Each program "
            "is asked about once; see handfast access."
        ),
        epilog=_("example: handfast agent install (systemd starts it when a program asks)"),
    )
    top.set_defaults(run=run)
    actions = top.add_subparsers(title=_("commands"), metavar=_("COMMAND"))
    where = actions.add_parser("where", help=_("print where programs find the agent"))
    where.set_defaults(run=run_where)
    install = actions.add_parser(
        "install", help=_("let systemd start the agent when a program asks")
    )
    install.set_defaults(run=run_install)
    remove = actions.add_parser("remove", help=_("undo what install did"))
    remove.set_defaults(run=run_remove)


def run(args: argparse.Namespace, device: Device) -> int:
    """Answer programs until the person or the system ends it."""
    questions = Questions(
        ask=prompt.ask, ask_passphrase=passphrase_from(args), clock=time.monotonic
    )
    store = Store(device.paths, entropy=device.entropy, ask_passphrase=questions.passphrase)
    agent = Agent(replace(device, store=store), questions)
    signal.signal(signal.SIGTERM, _end)
    with listening(device.paths) as listener:
        if sys.stdin.isatty():
            # Somebody is here: better asked for the passphrase now than by the first program.
            store.read()
        tell(_("The agent answers programs now; end it with Ctrl-C."))
        server.serve(listener, agent.answer)
    return ExitCode.OK


def run_where(_args: argparse.Namespace, device: Device) -> int:
    """Print the path of the socket, for scripts."""
    say(str(socket_path(device.paths)))
    return ExitCode.OK


def run_install(_args: argparse.Namespace, device: Device) -> int:
    """Write the units and start listening."""
    written, listens = unit.install(device.paths)
    for path in written:
        say(_("written: %s") % path)
    if listens:
        say(_("systemd starts the agent from now on when a program asks."))
    else:
        tell(_("Next: systemctl --user enable --now %s") % unit.SOCKET_UNIT)
    return ExitCode.OK


def run_remove(_args: argparse.Namespace, device: Device) -> int:
    """Take back what was installed."""
    gone = unit.remove(device.paths)
    for path in gone:
        say(_("removed or cleaned: %s") % path)
    if not gone:
        say(_("Nothing was installed."))
    return ExitCode.OK


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    """End through the open blocks, which take the socket away."""
    sys.exit(ExitCode.OK)
