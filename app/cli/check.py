"""``check``: what is unsafe about this installation, and what to do about it."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import click
from flask.cli import with_appcontext
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.cli.console import Operator, moment, operator
from app.clock import DAY
from app.database import DatabaseUnavailableError
from app.keystore import key_sets
from app.keystore.provider import KeyKind, KeyStoreError
from app.outbox.services import state
from protocol import cpace


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine, to be minded, or unsafe; with what to do."""

    grade: Literal["ok", "warning", "problem"]
    what: str
    hint: str = ""


@click.command("check")
@with_appcontext
def check() -> None:
    """Say what is unsafe about this installation; exit with 1 when something is."""
    here = operator()
    found = [
        finding
        for look in (_arithmetic, _testing, _addresses, _database, _keys, _key_set, _mail, _proxies)
        for finding in look(here)
    ]
    for finding in found:
        click.echo(f"{finding.grade:<8} {finding.what}")
        if finding.hint:
            click.echo(f"{'':<8} hint: {finding.hint}")
    problems = sum(finding.grade == "problem" for finding in found)
    warnings = sum(finding.grade == "warning" for finding in found)
    click.echo(f"{_counted(problems, 'problem')}, {_counted(warnings, 'warning')}")
    if problems:
        raise SystemExit(1)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _arithmetic(_here: Operator) -> Iterator[Finding]:
    cpace.self_test()
    yield Finding("ok", "the key exchange computes the draft's known answers")


def _testing(_here: Operator) -> Iterator[Finding]:
    if os.environ.get("HANDFAST_TESTING"):
        yield Finding("problem", "HANDFAST_TESTING is set", "unset it: it is for tests only")


def _addresses(here: Operator) -> Iterator[Finding]:
    host = urlsplit(here.config.issuer).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        yield Finding(
            "warning",
            f"the issuer is {here.config.issuer}: only this machine can use it",
            "set HANDFAST_ISSUER to the portal's public origin before the first activation",
        )
    else:
        yield Finding("ok", f"the issuer is {here.config.issuer}")


def _database(here: Operator) -> Iterator[Finding]:
    try:
        if schema.is_current(here.database):
            yield Finding("ok", "the database answers and its schema is current")
        else:
            yield Finding("problem", "migrations are missing", "run: flask --app wsgi db upgrade")
    except DatabaseUnavailableError as error:
        yield Finding("problem", f"the database does not answer ({error})", "see that it runs")
    url = make_url(here.config.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    try:
        mode = os.stat(url.database).st_mode  # noqa: PTH116  # the URL's path, as it stands
    except OSError:
        return
    if mode & stat.S_IRWXO:
        yield Finding(
            "warning", f"{url.database} is open to other users", f"chmod o= {url.database}"
        )


def _mail(here: Operator) -> Iterator[Finding]:
    try:
        with here.database.read() as session:
            mail = state(session, now=here.clock.now())
    except (DatabaseUnavailableError, SQLAlchemyError):
        # What is wrong with the database is said already.
        return
    if mail.standing_since is not None:
        yield Finding(
            "warning",
            f"mail to people does not go out: {mail.waiting} waiting",
            "start the worker, and set HANDFAST_SMTP_HOST for it; its log says more",
        )


def _keys(here: Operator) -> Iterator[Finding]:
    try:
        found = key_sets.list_keys(here.keys, now=here.clock.now())
    except KeyStoreError as error:
        yield Finding("problem", str(error), error.hint)
        return
    current = {key.kind for key in found if key.state == "current"}
    for kind in KeyKind:
        if kind is KeyKind.ROOT:
            if kind in current:
                yield Finding(
                    "warning",
                    "the root key is on this machine",
                    f"move {here.config.root_dir} to a medium of its own; see HANDFAST_ROOT_DIR",
                )
        elif kind in current:
            yield Finding("ok", f"the {kind} key in use is closed to other users")
        else:
            yield Finding("problem", f"there is no {kind} key", "run: flask --app wsgi keys init")


def _key_set(here: Operator) -> Iterator[Finding]:
    now = here.clock.now()
    try:
        until = key_sets.published_until(here.keys, now=now)
    except KeyStoreError as error:
        yield Finding("problem", str(error), error.hint)
        return
    if until is None:
        yield Finding(
            "problem", "no valid key set is published", "run: flask --app wsgi keys publish"
        )
    elif until - now < key_sets.WARN_DAYS * DAY:
        yield Finding(
            "warning",
            f"the key set is valid only until {moment(until)}",
            "run: flask --app wsgi keys publish",
        )
    else:
        yield Finding("ok", f"the key set is valid until {moment(until)}")


def _proxies(here: Operator) -> Iterator[Finding]:
    for listed in here.config.trusted_proxies:
        if ipaddress.ip_network(listed, strict=False).prefixlen == 0:
            yield Finding(
                "problem",
                f"HANDFAST_TRUSTED_PROXIES has {listed}: anybody can choose their address",
                "name the proxy's own address",
            )
