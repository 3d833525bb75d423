"""Where a passphrase comes from when it is not asked for: a file descriptor, never an argument."""

import argparse
import os
from collections.abc import Callable

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.person.prompt import ask_new_passphrase, ask_passphrase

LIMIT = 4096
SHORTEST = 8


def passphrase_from(args: argparse.Namespace) -> Callable[[], str]:
    """Return how this command gets the passphrase; asked once, and only if it is needed."""
    descriptor: int | None = args.passphrase_fd
    if descriptor is None:
        return ask_passphrase
    return lambda: read_line(descriptor)


def new_passphrase(descriptor: int | None) -> str:
    """Return a new passphrase of at least eight characters."""
    passphrase = ask_new_passphrase() if descriptor is None else read_line(descriptor)
    if len(passphrase) < SHORTEST:
        raise UserError(
            _("the passphrase is too short"),
            _("take at least %d characters; several words are good") % SHORTEST,
            ExitCode.USAGE,
        )
    return passphrase


def read_line(descriptor: int) -> str:
    """Read one line, without its end, from an open file descriptor."""
    line = b""
    try:
        while len(line) < LIMIT and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
            line += byte
        return line.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            _("cannot read a line of text from file descriptor %d") % descriptor,
            _('open it for the command, for example with 3< "$FILE" for file descriptor 3'),
            ExitCode.USAGE,
        ) from error
