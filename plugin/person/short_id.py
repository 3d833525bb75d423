"""How people read and type an id: its beginning, without hyphens that would look like an option."""

from typing import Final

SHOWN: Final = 8


def short_id(identifier: str) -> str:
    """Return the beginning of an id, for a command line: it never looks like an option."""
    return identifier.lstrip("-")[:SHOWN]


def begins(identifier: str, typed: str) -> bool:
    """Tell whether this id may be meant by what was typed."""
    beginning = typed.lstrip("-")
    return bool(beginning) and identifier.lstrip("-").startswith(beginning)
