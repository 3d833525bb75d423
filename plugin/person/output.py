"""JSON for programs."""

import argparse
import json

from plugin.i18n import _
from plugin.person.terminal import say


def add_json_option(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Define `--json`.

    `again` is for a command below one that has it too: what was said there stays.
    """
    command.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS if again else False,
        help=_("print JSON"),
    )


def print_json(value: object) -> None:
    """Print `value` as one JSON text; member names are part of the command's interface."""
    say(json.dumps(value, ensure_ascii=False, indent=2))
