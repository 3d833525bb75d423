"""The command line's own errors, in the form of all our errors, with what was probably meant."""

import argparse
import difflib
import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from plugin.errors import ExitCode, UserError
from plugin.i18n import _
from plugin.person.terminal import plain

# A public id (16 bytes) or a device's name (32 bytes) in base64url, which may begin with a hyphen.
WHOLE_ID: Final = re.compile(r"-[A-Za-z0-9_-]{21}|-[A-Za-z0-9_-]{42}", re.ASCII)

JSON: Final = "--json"


class Parser(argparse.ArgumentParser):
    """An argument parser that raises UserError; its subparsers are of this class too."""

    def parse_args(  # type: ignore[override]  # the words are always given
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Return what was asked for, or raise UserError."""
        known = _options(self)
        words = [one if one in known else _without_hyphens(one) for one in args]
        parsed, unknown = self.parse_known_args(words, namespace)
        if unknown:
            raise _unknown(self, unknown[0])
        if JSON in itertools.takewhile(lambda word: word != "--", words) and not parsed.json:
            # Said to a command above the one that was meant, which prints none.
            raise _misplaced(JSON)
        return parsed

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        # The library's own sentence about an unknown command lists them all; one is meant.
        if action.choices is not None and action.dest == argparse.SUPPRESS:
            known = list(action.choices)
            if value not in known:
                near = difflib.get_close_matches(str(value), known, n=1)
                hint = _('did you mean "%s"?') % f"{self.prog} {near[0]}" if near else ""
                raise UserError(
                    _("there is no command %s") % plain(str(value)),
                    hint or _('see "%s --help"') % self.prog,
                    ExitCode.USAGE,
                )
        super()._check_value(action, value)

    def error(self, message: str) -> NoReturn:
        raise UserError(message, _('see "%s --help"') % self.prog, ExitCode.USAGE)


def commands_of(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of a parser's commands, in the order in which they were added."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from dict.fromkeys(action.choices.values())


def _without_hyphens(word: str) -> str:
    """Return the word; of a whole id, what cannot be taken for an option (short_id.begins)."""
    return word.lstrip("-") if WHOLE_ID.fullmatch(word) else word


def _unknown(parser: argparse.ArgumentParser, given: str) -> UserError:
    name = given.partition("=")[0]
    if not name.startswith("-"):
        return UserError(
            _("%s is one word too many") % plain(given),
            _('see "%s --help"') % parser.prog,
            ExitCode.USAGE,
        )
    # Which command it was given to is not known any more; a near one of any command helps.
    if name in _options(parser):
        return _misplaced(name)
    near = difflib.get_close_matches(name, sorted(_options(parser)), n=1)
    return UserError(
        _("there is no option %s") % plain(name),
        _('did you mean "%s"?') % near[0] if near else _('see "%s --help"') % parser.prog,
        ExitCode.USAGE,
    )


def _misplaced(option: str) -> UserError:
    return UserError(
        _("%s does not belong to this command") % plain(option),
        _("give it after the command that has it, as the help of that command says"),
        ExitCode.USAGE,
    )


def _options(parser: argparse.ArgumentParser) -> set[str]:
    found = {option for action in parser._actions for option in action.option_strings}
    return found.union(*(_options(command) for command in commands_of(parser)))
