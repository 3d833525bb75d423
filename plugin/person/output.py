"""JSON for programs."""

import json

from plugin.person.terminal import say


def print_json(value: object) -> None:
    """Print `value` as one JSON text; member names are part of the command's interface."""
    say(json.dumps(value, ensure_ascii=False, indent=2))
