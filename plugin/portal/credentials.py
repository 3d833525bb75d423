"""The mail accounts that a command is about, and their passwords: never arguments, never shown."""

import argparse
import unicodedata
from collections.abc import Sequence

import idna

from plugin.errors import ExitCode, UserError, refused_by_person
from plugin.i18n import _
from plugin.person import prompt
from plugin.person.passphrase import read_line
from plugin.person.terminal import plain
from plugin.portal.messages import Account, NamedServer

IMAP_STARTTLS = 143
# The portal checks as many side by side.
MOST_ACCOUNTS = 8


def add_arguments(command: argparse.ArgumentParser, *, again: bool = False) -> None:
    """Define what says which accounts are meant and where their passwords come from.

    `again` is for a command below one that defines them too: what was said there stays.
    """
    default: list[str] | str = argparse.SUPPRESS if again else []
    command.add_argument(
        "--account",
        action="append",
        default=default,
        metavar=_("ADDRESS"),
        help=_("a mail address; give it several times for several accounts"),
    )
    command.add_argument(
        "--password-fd",
        action="append",
        type=int,
        default=default,
        metavar="N",
        help=_(
            "read the password, one line, from file descriptor N: once for all accounts, or once "
            "for each, in their order"
        ),
    )
    command.add_argument(
        "--server",
        action="append",
        default=default,
        metavar=_("ADDRESS=HOST:PORT"),
        help=_("the IMAP server of an account that the portal does not find by itself"),
    )
    command.add_argument(
        "--user",
        action="append",
        default=default,
        metavar=_("ADDRESS=NAME"),
        help=_("the user name at the mail server, where it is not the usual one"),
    )


def addresses(args: argparse.Namespace, *, several: bool = True) -> list[str]:
    """Return the addresses that were given, or ask for them."""
    given = list(args.account) or _ask_addresses(several=several)
    for number, address in enumerate(given):
        if "@" not in address.strip("@"):
            raise _usage(
                _("%s is not a mail address") % plain(address),
                _("a mail address has the form name@example.org"),
            )
        if any(same_address(address, other) for other in given[:number]):
            raise _usage(_("%s is named twice") % plain(address), _("name every account once"))
    if len(given) > MOST_ACCOUNTS:
        raise _usage(
            _("these are %d accounts, more than one call takes") % len(given),
            _("activate at most %d of them at once") % MOST_ACCOUNTS,
        )
    if len(args.password_fd) > len(given):
        raise _usage(
            _("there are more passwords than accounts"),
            _("give --password-fd once for all accounts, or once for each --account"),
        )
    return given


def accounts(
    args: argparse.Namespace, given: Sequence[str], services: Sequence[str] = ()
) -> tuple[Account, ...]:
    """Return the accounts with their passwords, read or asked for one after the other."""
    servers = {
        address: _server(name) for address, name in _named(args.server, given, "--server").items()
    }
    users = _named(args.user, given, "--user")
    # A single descriptor holds the passwords of all accounts, one a line.
    more = args.password_fd if len(args.password_fd) == 1 else [None]
    descriptors: list[int | None] = [*args.password_fd, *more * len(given)]
    return tuple(
        Account(
            address,
            _password(address, descriptor),
            users.get(address),
            servers.get(address),
            tuple(services) or None,
        )
        for address, descriptor in zip(given, descriptors, strict=False)
    )


def same_address(one: str, other: str) -> bool:
    """Tell whether two spellings are the same mail address, as portals compare them."""
    return _normal(one) == _normal(other)


def _normal(address: str) -> tuple[str, str]:
    local, _at, domain = unicodedata.normalize("NFKC", address).strip().lower().rpartition("@")
    try:
        return local, idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return local, domain


def _ask_addresses(*, several: bool) -> list[str]:
    first = prompt.ask_line(_("Your mail address: "))
    if first is None:
        raise UserError(
            _("no account was named, and there is no terminal to ask on"),
            _("give --account ADDRESS, and --password-fd N for its password"),
            ExitCode.NO_WAY_TO_ASK,
        )
    if not first:
        raise refused_by_person()
    given = [first]
    while several and (more := prompt.ask_line(_("Another address (Enter for none): "))):
        given.append(more)
    return given


def _password(address: str, descriptor: int | None) -> str:
    if descriptor is None:
        password = prompt.ask_secret(_("Password of %s: ") % plain(address))
        if password is None:
            raise UserError(
                _("there is no terminal to ask for the password of %s") % plain(address),
                _("give --password-fd N once for all accounts, or once for each"),
                ExitCode.NO_WAY_TO_ASK,
            )
    else:
        password = read_line(descriptor)
    if not password:
        raise _usage(
            _("the password of %s is empty") % plain(address),
            _("give the password of the mail account, or the app password its provider wants"),
        )
    return password


def _named(options: Sequence[str], given: Sequence[str], option: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in options:
        wanted, equals, value = text.partition("=")
        found = [address for address in given if same_address(address, wanted)]
        if not equals or not value or not found:
            raise _usage(
                _("%(option)s %(text)s names no account that was given")
                % {"option": option, "text": plain(text)},
                _("write it as %s ADDRESS=…, with an address that --account has too") % option,
            )
        named[found[0]] = value
    return named


def _server(text: str) -> NamedServer:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise _usage(
            _("%s is not a mail server") % plain(text),
            _("write it as HOST:PORT, for example imap.example.org:993"),
        )
    security = "starttls" if int(port) == IMAP_STARTTLS else "tls"
    return NamedServer(host.strip("[]"), int(port), security)


def _usage(message: str, hint: str) -> UserError:
    return UserError(message, hint, ExitCode.USAGE)
