"""`handfast services`: what this device may use, and how, as the service books say."""

import argparse
from collections.abc import Sequence
from typing import Any

from plugin.commands import refresh
from plugin.device import Device
from plugin.errors import ExitCode, UserError
from plugin.exchange import contact
from plugin.i18n import _, ngettext
from plugin.keystore.records import KeyRecord
from plugin.person.output import print_json
from plugin.person.terminal import bold, plain, say, tell
from protocol.errors import LocalProtocolError
from protocol.service_book import Server, ServiceBook, reopen_verified_book


def add_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Define the command."""
    command = commands.add_parser(
        "services",
        help=_("show the services of your accounts, and how this device uses them"),
        epilog=_("example: handfast services --offline"),
    )
    command.add_argument(
        "--offline", action="store_true", help=_("show what is known; ask no service")
    )
    command.add_argument("--json", action="store_true", help=_("print JSON"))
    command.set_defaults(run=run)


def run(args: argparse.Namespace, device: Device) -> int:
    """Fetch what is new, then show the book of each account and service."""
    contacts = () if args.offline else contact.report_in(device)
    keys = newest(device.store.read().keys)
    if args.json:
        print_json([as_json(key) for key in keys])
    else:
        _show(keys)
    for one in contacts:
        if one.ended or one.problem:
            tell(f"{title(one.key)}: {refresh.in_words(one)}")
        for line in refresh.problem_lines(one):
            tell(line)
    return refresh.exit_code(contacts)


def newest(keys: Sequence[KeyRecord]) -> list[KeyRecord]:
    """Return the key that counts for each account and service; one may wait for its proof."""
    return list({key.serves: key for key in keys}.values())


def book_of(key: KeyRecord) -> ServiceBook | None:
    """Return the book that came with a key, None before one was fetched."""
    if key.book is None:
        return None
    try:
        return reopen_verified_book(key.book.encode())
    except LocalProtocolError as error:
        raise UserError(
            _("the service book of %s cannot be read by this version") % plain(key.account),
            _('run "handfast keys remove" for its key and activate again'),
            ExitCode.STORE,
        ) from error


def lines(key: KeyRecord) -> list[str]:
    """Return what the book of a key sets, in words."""
    book = book_of(key)
    if book is None:
        return ["  " + _why_there_is_none(key)]
    if not book.servers:
        return ["  " + _("the service sets no servers for it")]
    looked = _("looked at every %s") % interval(book.sync.interval)
    return [*(f"  {server_words(server)}" for server in book.servers), f"  {looked}"]


def server_words(server: Server) -> str:
    """Return what one server is used for, in words."""
    sentences = {
        "imap": _("read from %(host)s port %(port)d with %(security)s as %(username)s"),
        "smtp": _("send through %(host)s port %(port)d with %(security)s as %(username)s"),
        "carddav": _("contacts kept at %(host)s port %(port)d with %(security)s as %(username)s"),
        "caldav": _("calendar kept at %(host)s port %(port)d with %(security)s as %(username)s"),
    }
    return sentences[server.role] % {
        "host": plain(server.host),
        "port": server.port,
        "security": {"tls": "TLS", "starttls": "STARTTLS"}[server.security],
        "username": plain(server.username),
    }


def interval(seconds: int) -> str:
    """Return a length of time exactly, in the largest unit that fits."""
    if seconds % 86400 == 0:
        return ngettext("%d day", "%d days", seconds // 86400) % (seconds // 86400)
    if seconds % 3600 == 0:
        return ngettext("%d hour", "%d hours", seconds // 3600) % (seconds // 3600)
    if seconds % 60 == 0:
        return ngettext("%d minute", "%d minutes", seconds // 60) % (seconds // 60)
    return ngettext("%d second", "%d seconds", seconds) % seconds


def title(key: KeyRecord) -> str:
    """Return the name of a service and its account."""
    names = {"mail": _("Mail"), "contacts": _("Contacts"), "calendar": _("Calendar")}
    return _("%(service)s for %(account)s") % {
        "service": names.get(key.service, plain(key.service)),
        "account": plain(key.account),
    }


def as_json(key: KeyRecord) -> dict[str, Any]:
    """Return the settings of one account and service for a program."""
    book = book_of(key)
    return {
        "account": key.account,
        "service": key.service,
        "issuer": key.issuer,
        "service_uid": key.service_uid,
        "waiting": key.waiting,
        "reported": key.reported,
        "book": book
        and {
            "iat": book.iat,
            "provider": book.provider,
            "servers": [
                {
                    "role": server.role,
                    "host": server.host,
                    "port": server.port,
                    "security": server.security,
                    "username": server.username,
                }
                for server in book.servers
            ],
            "sync": {"interval": book.sync.interval},
        },
    }


def _show(keys: Sequence[KeyRecord]) -> None:
    if not keys:
        refresh.say_no_keys()
    for key in keys:
        say(bold(title(key)), *lines(key))


def _why_there_is_none(key: KeyRecord) -> str:
    if key.waiting:
        return _("held back until you confirm this device on the page of %s") % key.issuer
    if key.reported is None:
        return _('not fetched yet: run "handfast refresh"')
    return _("the service has no settings for it")
