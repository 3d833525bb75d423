"""`handfast completion SHELL`: what makes the Tab key of a shell complete our command line."""

import argparse
from typing import Final

from plugin.device import Device
from plugin.errors import ExitCode
from plugin.i18n import _
from plugin.person.terminal import say

SHELLS: Final = ("bash", "zsh", "fish")


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "completion",
        help=_("print what makes your shell complete this command"),
        epilog=_(
            'examples: bash, in ~/.bashrc:  eval "$(handfast completion bash)"\n'
            '          zsh, in ~/.zshrc, after compinit:  eval "$(handfast completion zsh)"\n'
            "          fish:  handfast completion fish > ~/.config/fish/completions/handfast.fish"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("shell", choices=SHELLS, metavar=_("bash|zsh|fish"))
    command.set_defaults(run=run, json=False)


def run(args: argparse.Namespace, _device: Device) -> int:
    """Print the code for one shell."""
    from argcomplete.shell_integration import shellcode

    say(shellcode(["handfast"], shell=args.shell).strip())
    return ExitCode.OK


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell that asks; this ends the process. Nothing of the device is looked at."""
    import argcomplete

    argcomplete.autocomplete(parser, always_complete_options="long")
