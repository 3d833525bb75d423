"""Say things on a terminal: answers on stdout, progress on stderr, nothing raw from outside."""

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from plugin.i18n import _, ngettext

# More than a sentence or two of somebody else is not shown.
LONGEST_QUOTE: Final = 200


def say(*lines: str) -> None:
    """Print lines for people, or a program's JSON."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def tell(line: str) -> None:
    """Print one line of progress on stderr, so that stdout stays the answer."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def notice(line: str) -> None:
    """Say on stderr what takes long."""
    tell("… " + line)


def bold(text: str, stream: TextIO | None = None) -> str:
    """Return `text` in bold on a terminal that wants it; the meaning never hangs on it."""
    stream = stream or sys.stdout
    wanted = stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return f"\033[1m{text}\033[0m" if wanted else text


def plain(untrusted_text: str) -> str:
    """Return text that cannot move the cursor, add lines or reverse the reading direction."""
    return "".join(
        character
        if character == " " or unicodedata.category(character)[0] not in "CZ"
        else "\N{REPLACEMENT CHARACTER}"
        for character in untrusted_text
    )


def quoted(untrusted_text: str) -> str:
    """Return somebody else's words as such: in quotation marks, on one line, not too long."""
    text = plain(untrusted_text.strip())
    if len(text) > LONGEST_QUOTE:
        text = text[: LONGEST_QUOTE - 1] + "…"
    return _("“%s”") % text


def fits(lines: Sequence[str]) -> bool:
    """Tell whether a terminal shows these lines unfolded; a file or a program takes any."""
    widest = max(map(len, lines), default=0)
    return not sys.stdout.isatty() or widest <= shutil.get_terminal_size().columns


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines with aligned columns."""
    rows = list(rows)
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def listing(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows under a head; one thing below the other where the terminal is too narrow."""
    lines = table([head, *rows])
    if fits(lines):
        return lines
    below = [[*table(zip(head, row, strict=True)), ""] for row in rows]
    return [line for lines in below for line in lines][:-1]


def ago(seconds: int) -> str:
    """Return a length of time in words a person would use; no clock makes it less than none."""
    seconds = max(0, seconds)
    if seconds < 90:
        return ngettext("%d second", "%d seconds", seconds) % seconds
    if seconds < 90 * 60:
        return ngettext("%d minute", "%d minutes", seconds // 60) % (seconds // 60)
    if seconds < 48 * 3600:
        return ngettext("%d hour", "%d hours", seconds // 3600) % (seconds // 3600)
    return ngettext("%d day", "%d days", seconds // 86400) % (seconds // 86400)


def date(seconds: int) -> str:
    """Return a moment as local date and time."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
